"""What is measured: a stack, as text."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


class Measurement:
    """A stack. name: "outer(module);...;inner(module)"."""

    def __init__(self, frame: FrameType | None) -> None:
        self.name = self.snap(frame)

    def get_path(self) -> list[str]:
        """Its functions, the outermost first."""
        return self.name.split(";")

    def snap(self, frame: FrameType | None) -> str:
        """The name of a frame's stack."""
        stack = []
        while frame is not None:
            stack.append(f"{frame.f_code.co_name}({frame.f_globals.get('__name__')})")
            frame = frame.f_back
        return ";".join(reversed(stack))
