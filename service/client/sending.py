"""Methods that are calls: what each takes, gives and means is written with the call; here it is bound and sent."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from service.client.answers import Page
from service.client.call import Call
from service.client.sessions import AsyncSession, Session

Given = ParamSpec("Given")
Found = TypeVar("Found")
Answer = TypeVar("Answer")
Handle = TypeVar("Handle")
AnySession = TypeVar("AnySession", Session, AsyncSession)


class Named(Protocol):
    """A record of something that has a name."""

    @property
    def id(self) -> str:
        """The name."""


Record = TypeVar("Record", bound=Named)


class StatefulCalls(Protocol[Record]):
    """Calls that keep the record of what they are about."""

    record: Record


class Sender(Generic[AnySession]):
    """Whose methods are calls.

    Args:
        session: Sends them.
        calls: Makes them.
    """

    def __init__(self, session: AnySession, calls: object) -> None:
        self._session: AnySession = session
        self._calls = calls


class Resource(Sender[AnySession], Generic[AnySession, Record]):
    """Something that lives on the service, and what the service last told of it."""

    _calls: StatefulCalls[Record]

    @property
    def id(self) -> str:
        """Its name, to get it by."""
        return self.record.id

    @property
    def record(self) -> Record:
        """What the service last told of it."""
        return self._calls.record

    def __repr__(self) -> str:
        return f"<{self._calls}>"


class Sent(Generic[Given, Answer]):
    """A call as a method that sends it.

    Args:
        call: Takes the sender's calls first.
        make: Makes of the session and an answer what the method returns; the answer itself if left out.
    """

    def __init__(
        self,
        call: Callable[Concatenate[Any, Given], Call[Any]],
        make: Callable[[Session, Any], Answer] = lambda _, answer: answer,
    ) -> None:
        self._call = call
        self._make = make
        self.__doc__ = call.__doc__

    @overload
    def __get__(self, sender: None, _: object) -> Self: ...
    @overload
    def __get__(self, sender: Sender[Session], _: object) -> Callable[Given, Answer]: ...
    def __get__(self, sender: Sender[Session] | None, _: object) -> Self | Callable[Given, Answer]:
        """Bind it, as a function is."""
        if sender is None:
            return self
        call, session = self._call.__get__(sender._calls), sender._session  # noqa: SLF001  (this is its method)

        @wraps(call)
        def send(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
            return self._make(session, session.send(call(*args, **kwargs)))

        return send


class Awaited(Generic[Given, Answer]):
    """A call as a method that sends it, to be awaited; otherwise as `Sent`."""

    def __init__(
        self,
        call: Callable[Concatenate[Any, Given], Call[Any]],
        make: Callable[[AsyncSession, Any], Answer] = lambda _, answer: answer,
    ) -> None:
        self._call = call
        self._make = make
        self.__doc__ = call.__doc__

    @overload
    def __get__(self, sender: None, _: object) -> Self: ...
    @overload
    def __get__(self, sender: Sender[AsyncSession], _: object) -> Callable[Given, Coroutine[Any, Any, Answer]]: ...
    def __get__(
        self, sender: Sender[AsyncSession] | None, _: object
    ) -> Self | Callable[Given, Coroutine[Any, Any, Answer]]:
        """Bind it, as a function is."""
        if sender is None:
            return self
        call, session = self._call.__get__(sender._calls), sender._session  # noqa: SLF001  (this is its method)

        @wraps(call)
        async def send(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
            return self._make(session, await session.send(call(*args, **kwargs)))

        return send


def sent(call: Callable[Concatenate[Any, Given], Call[Answer]]) -> Sent[Given, Answer]:
    """Make a method of a call."""
    return Sent(call)


def awaited(call: Callable[Concatenate[Any, Given], Call[Answer]]) -> Awaited[Given, Answer]:
    """Make a method of a call, to be awaited."""
    return Awaited(call)


def paging(make: Callable[[AnySession, Found], Handle]) -> Callable[[AnySession, Page[Found]], Page[Handle]]:
    """Do with every item of a page what is done with one."""
    return lambda session, page: Page(tuple(make(session, item) for item in page.items), page.after)
