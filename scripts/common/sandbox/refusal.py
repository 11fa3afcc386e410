"""How the API says no."""


class Refusal(Exception):  # noqa: N818 - an answer, not a fault of ours
    """An error as the API answers it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
