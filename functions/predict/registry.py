"""The models of a service by name, each with its own `Service`, and the default one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from functions.predict.http import problems
from functions.predict.service import Service


@dataclass(frozen=True, slots=True)
class Registry:
    """The models that a service holds.

    Attributes
    ----------
    services : mapping of str to Service
        The service of each model by the model's name, the default one first.
    """

    services: Mapping[str, Service]

    @classmethod
    def of(cls, default: Service, *others: Service) -> Self:
        """Return the registry of services; the first answers requests that name no model."""
        return cls({service.model.name: service for service in (default, *others)})

    @property
    def default(self) -> Service:
        """The service that answers requests that name no model."""
        return next(iter(self.services.values()))

    @property
    def names(self) -> list[str]:
        """The names of the models, the default one first."""
        return list(self.services)

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
