"""Pod templates: the containers that a workload or one of its revisions asks for."""

import msgspec

from bot.core.workload import Container


class _Container(msgspec.Struct, rename="camel", gc=False):
    name: str = ""
    image: str = ""
    liveness_probe: object = None
    readiness_probe: object = None
    startup_probe: object = None

    def value(self, *, init: bool) -> Container:
        probes = (
            ("liveness", self.liveness_probe),
            ("readiness", self.readiness_probe),
            ("startup", self.startup_probe),
        )
        named = tuple(name for name, probe in probes if probe)
        return Container(self.name, self.image, init, named)


class _PodSpec(msgspec.Struct, rename="camel", gc=False):
    containers: list[_Container] | None = None
    init_containers: list[_Container] | None = None


class Template(msgspec.Struct, gc=False):
    """A pod template, as far as it is shown and matched."""

    spec: _PodSpec = msgspec.field(default_factory=_PodSpec)

    @property
    def containers(self) -> tuple[Container, ...]:
        """The containers, then the init containers."""
        return (
            *(container.value(init=False) for container in self.spec.containers or []),
            *(container.value(init=True) for container in self.spec.init_containers or []),
        )
