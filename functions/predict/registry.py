"""The models of a service by name, each with its own `Service`, and the default one."""

from collections.abc import Iterator

from functions.predict.http import problems
from functions.predict.service import Service


class Registry:  # no dataclass: a start would wait for its methods to be made
    """The models that a service holds.

    Parameters
    ----------
    default : Service
        Answers requests that name no model.
    *others : Service
        The services of the other models.

    Attributes
    ----------
    services : mapping of str to Service
        The services by the names of their models, the default one first.
    names : list of str
        These names.
    """

    def __init__(self, default: Service, *others: Service) -> None:
        self.default = default
        self.services = {service.model.name: service for service in (default, *others)}
        self.names = list(self.services)

    def __iter__(self) -> Iterator[Service]:
        """Return an iterator over the services, the default one first."""
        return iter(self.services.values())

    def named(self, name: str) -> Service:
        """Return the service of a model; raises the problem of an unknown one."""
        service = self.services.get(name)
        if service is None:
            raise problems.unknown_model(self.names)
        return service

    def require_ready(self) -> None:
        """Raise the problem of the first model that fails a golden row."""
        for service in self:
            service.require_ready()

    def load_explainers(self) -> None:
        """Read and measure what the explanations of each model need; raises as `Service` does."""
        for service in self:
            service.load_explainers()
