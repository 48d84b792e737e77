"""Builds a stand-in for Lambda's base image, for machines that cannot pull the official one.

It holds what the official image holds at the same paths: CPython 3.13, the Lambda runtime client,
boto3 and the Lambda emulator; all of it comes from this machine and from Python packages.
Usage: python -m tests.lambda_image.build TAG [TAG ...]
"""

import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

HERE: Final = Path(__file__).parent
REPOSITORY: Final = HERE.parents[1]
LABEL: Final = "sklambda.stand-in"
"""The label that tells a stand-in from the official image; its value is :func:`digest`."""

_LOCK = REPOSITORY / "requirements/lambda-image.txt"
_EMULATOR_LOCK = REPOSITORY / "requirements/deploy.txt"
_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
_STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))
_LIBRARIES = str(sysconfig.get_config_var("LIBDIR"))
_LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "config-*", "ensurepip", "idlelib", "site-packages", "test", "tkinter",
    "turtledemo", "_ctypes_test*", "_test*.so", "_tkinter*", "xx*.so",
)  # fmt: skip
# What `sam` calls while it puts layers on the image, and what a person needs to look around in it.
_TOOLS = ("sh", "mv", "chmod", "mkdir", "rm", "cp", "cat", "ls", "env")
# The official image has these for the wheels of a layer. It has no libgomp: a wheel that needs one
# must fail here too.
_FOR_WHEELS = (
    "libstdc++.so.6", "libgcc_s.so.1", "libresolv.so.2", "libnss_dns.so.2", "libnss_files.so.2",
    "librt.so.1", "libdl.so.2", "libpthread.so.0",
)  # fmt: skip
_USERS = "root:x:0:0:root:/root:/bin/sh\nsbx_user1051:x:993:990::/tmp:/sbin/nologin\n"
_GROUPS = "root:x:0:\nsbx_user1051:x:990:\n"


def digest() -> str:
    """Name the image by all that decides its content."""
    content = sha256(sys.version.encode())
    recipe = sorted(path for path in HERE.iterdir() if path.is_file())
    for path in [*recipe, _LOCK, _EMULATOR_LOCK]:
        content.update(path.read_bytes())
    return content.hexdigest()[:16]


def build(*tags: str) -> None:
    """Build the image and give it the tags."""
    with TemporaryDirectory() as folder:
        context = Path(folder)
        _fill(context / "root")
        shutil.copy(HERE / "Dockerfile", context)
        names = [part for tag in tags for part in ("--tag", tag)]
        label = f"{LABEL}={digest()}"
        _run("docker", "build", "--quiet", "--label", label, *names, str(context))


def _fill(root: Path) -> None:
    _make_folders(root)
    _copy_interpreter(root / "var/lang")
    _install_runtime_client(root / "var/runtime")
    _copy_emulator(root / "usr/local/bin")
    for name in _TOOLS:
        shutil.copy(str(shutil.which(name)), root / "usr/bin" / name)
    _copy_libraries(root)


def _make_folders(root: Path) -> None:
    for folder in ("var/task", "var/rapid", "opt", "tmp", "dev", "proc", "sys", "root", "etc",
                   "usr/bin", "usr/lib64", "usr/local/bin"):  # fmt: skip
        (root / folder).mkdir(parents=True)
    # One folder of libraries under every name that a loader searches.
    for link, target in {"bin": "usr/bin", "lib": "usr/lib64", "lib64": "usr/lib64"}.items():
        (root / link).symlink_to(target)
    (root / "usr/lib").symlink_to("lib64")
    (root / "etc/passwd").write_text(_USERS)
    (root / "etc/group").write_text(_GROUPS)
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n")
    shutil.copy(HERE / "lambda-entrypoint.sh", root)


def _copy_interpreter(prefix: Path) -> None:
    (prefix / "bin").mkdir(parents=True)
    base: str = sys._base_executable  # type: ignore[attr-defined]  # not the environment's link
    shutil.copy(Path(base).resolve(), prefix / "bin" / _PYTHON)
    for alias in ("python", "python3"):
        (prefix / "bin" / alias).symlink_to(_PYTHON)
    shutil.copytree(_STANDARD_LIBRARY, prefix / "lib" / _PYTHON, symlinks=True, ignore=_LEFT_OUT)
    _compile(prefix / "lib" / _PYTHON)


def _install_runtime_client(folder: Path) -> None:
    _run(
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--no-compile", "--only-binary=:all:", "--require-hashes", "--requirement", str(_LOCK),
        "--target", str(folder),
    )  # fmt: skip
    shutil.rmtree(folder / "bin", ignore_errors=True)
    _compile(folder)
    shutil.copy(HERE / "bootstrap", folder)


def _compile(folder: Path) -> None:
    _run(sys.executable, "-m", "compileall", "-q", "-j", "0",
         "--invalidation-mode", "unchecked-hash", str(folder))  # fmt: skip


def _copy_emulator(folder: Path) -> None:
    """Take the Lambda emulator out of the package of SAM's command line."""
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    packages = REPOSITORY / ".venv-deploy/lib" / _PYTHON / "site-packages"
    emulator = folder / "aws-lambda-rie"
    shutil.copy(packages / f"samcli/local/rapid/aws-lambda-rie-{machine}", emulator)
    emulator.chmod(0o755)


def _copy_libraries(root: Path) -> None:
    programs = [path for path in (root / "usr/bin").iterdir() if path.is_file()]
    programs += (root / "var/lang/bin").glob(_PYTHON)
    extensions = [*(root / "var").rglob("*.so"), *(root / "var").rglob("*.so.*")]
    for library in {*_needed_by([*programs, *extensions]), *_known_to_the_loader(_FOR_WHEELS)}:
        shutil.copy(library, root / "usr/lib64" / library.name)


def _needed_by(files: Iterable[Path]) -> Iterator[Path]:
    """List the system's libraries that the files are linked with, also indirectly."""
    command = ["env", f"LD_LIBRARY_PATH={_LIBRARIES}", "ldd", *map(str, files)]
    listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    for line in listing.splitlines():
        # "libm.so.6 => /lib/libm.so.6 (0x…)", and the loader itself: "/lib64/ld-linux.so.2 (0x…)"
        words = line.removesuffix(":").split()
        found = next((word for word in words if word.startswith("/")), None)
        if found and line.startswith("\t") and ".so" in found:
            yield Path(found)


def _known_to_the_loader(names: Iterable[str]) -> Iterator[Path]:
    listing = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True)
    lines = [
        line.split()
        for line in listing.stdout.splitlines()
        if "x86-64" in line or "AArch64" in line
    ]
    for name in names:
        yield from (Path(line[-1]) for line in lines if line[0] == name)


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])} ... failed:\n{result.stderr or result.stdout}")


if __name__ == "__main__":
    build(*sys.argv[1:])
