"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const form = find("form");
  const fields = [...form.querySelectorAll("[data-key]")].map(fieldOf);
  // A stage is also served without the slash at the end, and then "predict" would be beside it.
  const base = location.origin + location.pathname.replace(/\/?$/, "/");
  const SHOWN = 8;
  const LONGEST = 40;
  const CAUTIONS = {
    missing: "is missing",
    unseen_category: "was not seen in training",
    out_of_range: "is outside the range of training",
    coerced: "was changed to the type of the feature",
  };

  const METHODS = {
    linear: "Exact, from the coefficients",
    trees: "Exact, from the trees",
    kernel: "Estimated by KernelSHAP",
  };

  function fieldOf(box) {
    const control = box.querySelector("[data-value]");
    const fault = box.querySelector(".fault");
    const name = JSON.parse(box.dataset.key);
    return {
      name, control, fault, kind: box.dataset.kind,
      key: JSON.stringify(name),
      missing: box.querySelector("[data-missing]"),
      other: box.querySelector("[data-other]"),
    };
  }

  /** The value as JSON text: a number keeps the digits that were typed. */
  function valueOf(field) {
    const { control, other } = field;
    if (field.missing?.checked) return "null";
    if (control.tagName === "SELECT") {
      if (control.value === "other") return JSON.stringify(other.value);
      return control.value && JSON.stringify(JSON.parse(control.value));
    }
    if (field.kind === "text" || field.kind === "category") return JSON.stringify(control.value);
    if (field.kind === "datetime") return control.value && JSON.stringify(control.value);
    const plain = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(control.value);
    return plain || !control.value ? control.value : String(Number(control.value));
  }

  const body = () =>
    `{"instances": [{${fields.map((f) => `${f.key}: ${valueOf(f) || "null"}`).join(", ")}}]}`;

  function show(field, message) {
    field.fault.textContent = message;
    const shown = field.control.value === "other" ? field.other : field.control;
    for (const one of [field.control, field.other]) one?.removeAttribute("aria-invalid");
    if (message) shown.setAttribute("aria-invalid", "true");
  }

  function refresh() {
    for (const field of fields) {
      if (field.missing) field.control.disabled = field.missing.checked;
      if (field.other) field.other.hidden = field.control.value !== "other";
    }
    find("curl").textContent = curl();
  }

  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

  function address() {
    return base + (find("explain")?.checked ? "predict?explain=true" : "predict");
  }

  function curl() {
    const key = find("key").value ? ' \\\n  -H "x-api-key: $API_KEY"' : "";
    return `curl ${quoted(address())} \\\n  -H 'content-type: application/json'${key} \\\n  -d ${quoted(body())}`;
  }

  // Elements: what the service says becomes text, never markup.
  function make(tag, options = {}, ...inside) {
    const element = document.createElement(tag);
    const { name, ...rest } = options;
    if (name) element.className = name;
    for (const [key, value] of Object.entries(rest)) element.setAttribute(key, value);
    element.append(...inside.filter((one) => one !== null && one !== undefined));
    return element;
  }

  const number = (value, digits = 6) => {
    if (typeof value !== "number") return value === null ? "no number" : String(value);
    return String(Number(value.toPrecision(digits))).replace("-", "\u2212");
  };
  const rounded = (value) => number(value, 3);
  const share = (value) =>
    typeof value === "number" ? `${(value * 100).toFixed(1)}\u00a0%` : number(value);
  const written = (value) =>
    typeof value === "string" ? (value.trim() === value && value ? value : JSON.stringify(value)) : JSON.stringify(value);
  const brief = (value) =>
    typeof value === "string" && value.length > LONGEST ? `${value.slice(0, LONGEST)}\u2026` : value;
  const bdi = (value) => make("bdi", {}, written(value));

  /** The class that a label is: Python writes True and 1.0 where JSON has true and 1. */
  function classOf(label, classes) {
    const names = [String(label), String(label).replace(/^./, (c) => c.toUpperCase())];
    if (typeof label === "number") names.push(label.toFixed(1));
    return classes.find((one) => names.includes(one));
  }

  function headline(answer) {
    if (answer.values) {
      return Object.entries(answer.values).map(([name, value]) =>
        make("div", { name: "target" }, make("p", { name: "quiet" }, bdi(name)),
          make("p", { name: "label" }, number(value))));
    }
    const found = answer.probabilities && classOf(answer.label, Object.keys(answer.probabilities));
    let sure = null;
    if (found !== undefined && answer.probabilities) sure = `Probability ${share(answer.probabilities[found])}`;
    else if (typeof answer.score === "number") sure = `Score ${number(answer.score)}`;
    return [make("p", { name: "label" }, bdi(answer.label)), sure && make("p", { name: "quiet" }, sure)];
  }

  function probabilities(answer, target) {
    if (!answer.probabilities) return null;
    const entries = Object.entries(answer.probabilities);
    const chosen = classOf(answer.label, entries.map(([name]) => name));
    if (entries.length > 2) entries.sort((a, b) => b[1] - a[1]);
    return make("div", {}, make("h3", {}, "Probabilities", target === null ? null : make("span", {}, " of ", bdi(target))), folded("ul", "bars", entries.map(([name, value]) => {
      const fill = make("span", { name: "fill" });
      fill.style.width = `${Math.max(0, Math.min(1, value || 0)) * 100}%`;
      return make("li", name === chosen ? { name: "chosen" } : {}, bdi(name), make("span", {}, share(value)),
        make("span", { name: "track", "aria-hidden": "true" }, fill));
    })));
  }

  /** A list that shows its first entries, and the others when asked. */
  function folded(tag, name, items) {
    const first = make(tag, { name }, ...items.slice(0, SHOWN));
    if (items.length <= SHOWN) return first;
    const rest = make("details", {}, make("summary", {}, `${items.length - SHOWN} more`),
      make(tag, { name }, ...items.slice(SHOWN)));
    return make("div", {}, first, rest);
  }

  function reason([name, amount], greatest, sent) {
    const side = amount > 0 ? "up" : amount < 0 ? "down" : "none";
    const fill = make("span", { name: "fill" });
    fill.style.width = greatest ? `${(Math.abs(amount) / greatest) * 50}%` : "0";
    const value = Object.hasOwn(sent, name) ? make("span", {}, bdi(brief(sent[name]))) : null;
    return make("li", { name: side }, make("span", { name: "who" }, bdi(name), value),
      make("span", { name: "amount" }, (amount > 0 ? "+" : "") + rounded(amount)),
      make("span", { name: "track", "aria-hidden": "true" }, fill));
  }

  function explanation(said, sent) {
    const entries = Object.entries(said.contributions ?? {});
    entries.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    const greatest = entries.length ? Math.abs(entries[0][1]) : 0;
    const of = said.answer === undefined ? null : make("span", {}, " of ", said.target ? bdi(said.target) : null, said.target ? ": " : null, bdi(said.answer));
    const scale = said.scale ? ` (${said.scale})` : "";
    const method = said.method ? ` ${METHODS[said.method] ?? said.method}.` : "";
    return make("div", {}, make("h3", {}, "What moved the score", of),
      make("p", { name: "quiet" }, `${rounded(said.base)} on average, ${rounded(said.value)} here${scale}.${method}`),
      folded("ul", "reasons", entries.map((entry) => reason(entry, greatest, sent))));
  }

  function explanations(answer, sent) {
    return (answer.explanations ?? []).map((said) => explanation(said, sent));
  }

  function cautions(warnings) {
    if (!warnings?.length) return null;
    return make("div", {}, make("h3", {}, "Take with care"), make("ul", { name: "notes" }, ...warnings.map((one) =>
      make("li", {}, make("strong", {}, bdi(one.feature)), ` ${CAUTIONS[one.code] ?? one.code}`))));
  }

  function facts(answer, model) {
    const rows = [["Score", answer.score], ["Threshold", answer.threshold], ["Prediction", answer.prediction_id], ["Model", model?.name], ["Package", model?.id]];
    return make("dl", { name: "facts" }, ...rows.filter(([, value]) => value !== undefined && value !== null)
      .flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, make("code", {}, String(value)))]));
  }

  function answered(reply, sent) {
    const [answer] = reply.predictions;
    const parts = answer.targets ? Object.entries(answer.targets) : [[null, answer]];
    find("headline").replaceChildren(...parts.map(([name, part]) =>
      make("div", { name: "target" }, name === null ? null : make("p", { name: "quiet" }, bdi(name)), ...headline(part))));
    const raw = make("pre", { tabindex: "0", role: "group", "aria-label": "Answer as JSON" }, JSON.stringify(reply, null, 2));
    const details = [
      cautions(answer.warnings),
      ...parts.map(([name, part]) => probabilities(part, name)),
      ...explanations(answer, sent),
      facts(answer, reply.model),
      make("details", {}, make("summary", {}, "Answer as JSON"), raw),
    ];
    find("details").replaceChildren(...details.filter(Boolean));
  }

  function refused(problem) {
    find("headline").replaceChildren();
    find("details").replaceChildren();
    const left = (problem.errors ?? []).filter((error) => {
      const field = fields.find((one) => error.pointer === pointer(one.name));
      if (field) show(field, `${error.detail[0]?.toUpperCase() ?? ""}${error.detail.slice(1)}.`);
      return !field;
    });
    const placed = (problem.errors?.length ?? 0) - left.length;
    const [title, detail] = placed
      ? [placed === 1 ? "A value does not fit" : `${placed} values do not fit`, "Nothing was scored. What is wrong stands beside each value."]
      : [problem.title, problem.detail];
    const list = left.map((error) => make("li", {}, make("code", {}, error.pointer), ` ${error.detail}`));
    const key = [401, 403].includes(problem.status) ? make("p", { "data-key-asked": "" }, "The service may ask for an API key; there is a place for it below the command.") : null;
    find("problem").replaceChildren(make("div", { name: "stop" }, make("strong", {}, title),
      detail && detail !== title ? make("p", {}, detail) : null, key, list.length ? make("ul", {}, ...list) : null));
  }

  const pointer = (name) => `/instances/0/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;

  /** Say what is not filled in; gives whether all is. */
  function complete() {
    let first = null;
    for (const field of fields) {
      const message = valueOf(field) === "" ? (field.control.validity.badInput ? "This is no number." : "A value is needed.") : "";
      show(field, message);
      if (message) first ??= field.control;
    }
    first?.focus();
    return first === null;
  }

  async function ask() {
    const headers = { "content-type": "application/json" };
    if (find("key").value) headers["x-api-key"] = find("key").value;
    const sent = body();
    const response = await fetch(address(), { method: "POST", headers, body: sent });
    const said = await response.json().catch(() => ({}));
    if (response.ok && said.predictions) return () => answered(said, JSON.parse(sent).instances[0]);
    return () => refused({ title: `The service answered ${response.status}.`, ...said, status: response.status });
  }

  async function submit(event) {
    event.preventDefault();
    const button = form.querySelector(".main");
    if (button.ariaBusy === "true") return;
    find("problem").replaceChildren();
    if (!complete()) return;
    button.ariaBusy = "true";
    const finish = await ask().catch(() => () => refused({ title: "The service could not be reached." }));
    button.ariaBusy = "false";
    finish();
    find("result").scrollTop = 0;
    const faulty = form.querySelector("[aria-invalid=true]");
    if (faulty) faulty.focus();
    else if (find("problem").querySelector("[data-key-asked]")) find("key").focus();
    else if (find("result").getBoundingClientRect().top > innerHeight * 0.6) find("result").scrollIntoView();
  }

  async function copy() {
    const text = find("curl").textContent;
    try {
      await navigator.clipboard.writeText(text);
      find("copied").textContent = "The command is in the clipboard.";
      find("copy").textContent = "Copied";
      setTimeout(() => { find("copy").textContent = "Copy as curl"; find("copied").textContent = ""; }, 2000);
    } catch {
      getSelection().selectAllChildren(find("curl"));
      find("copied").textContent = "The command is selected.";
    }
  }

  for (const link of document.querySelectorAll("[data-route]")) link.href = base + link.dataset.route;
  form.addEventListener("submit", submit);
  form.addEventListener("reset", () => setTimeout(() => { fields.forEach((field) => show(field, "")); refresh(); }));
  document.addEventListener("input", refresh);
  find("copy").addEventListener("click", copy);
  refresh();
})();
