"""Two services on one database, which are killed and started again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from tests.running import Server, free_port, running, zoo_of

MODELS = ("linear", "linear-1.0.0", "nonlinear")


class Replica:
    """A service with some of the models that listens on one port whenever it is started."""

    def __init__(self, database_url: str) -> None:
        port = free_port()
        self._settings = {"GDSSM_DATABASE_URL": database_url, "GDSSM_PORT": str(port)}
        self._process = ExitStack()
        self._servers: list[Server] = []
        self.url = f"http://127.0.0.1:{port}"

    def start(self) -> None:
        """Start it, or start it again."""
        zoo = self._process.enter_context(zoo_of(*MODELS))
        server = self._process.enter_context(running(GDSSM_ZOO=zoo, **self._settings))
        self._servers.append(server)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.close()

    @property
    def log(self) -> str:
        """What it has logged since it was first started."""
        return "".join(server.log for server in self._servers)


@contextmanager
def replicas_on(database_url: str) -> Iterator[list[Replica]]:
    """Start two; end them after use."""
    replicas = [Replica(database_url) for _ in range(2)]
    try:
        with ThreadPoolExecutor() as starts:
            list(starts.map(Replica.start, replicas))
        yield replicas
    finally:
        for replica in replicas:
            replica.kill()
