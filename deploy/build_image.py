"""Build the image of the service with podman, without a daemon.

Where no registry can be reached, Debian packages make a stand-in for the base image, with the same version of Python.
Only this build uses it; it does not get the name of the base image.

The configuration of pip on this machine (an index, a certificate, a folder of wheels) also applies in the build. It is
mounted, and leaves nothing in the image.
"""

import argparse
import ast
import re
import shutil
import subprocess
import sys
import tempfile
from configparser import RawConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEBIAN = "bookworm"
"""The release of Debian whose `python3` has the version of Python in the base image."""
PACKAGES = "python3,python3-venv,ca-certificates"
UNUSED = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"]
STAND_IN = f"localhost/gdssm-stand-in:{DEBIAN}"
INSTALLED = "localhost/gdssm-build"
"""The stage with the installed packages; its name keeps it for the next build."""
CERTIFICATES = Path("/etc/ssl/certs")


class BuildError(Exception):
    """The image cannot be built here; the message says what to install."""


class Podman:
    """The programs of podman, with their storage.

    Args:
        storage: A directory for images and containers; None is podman's usual one.
    """

    def __init__(self, storage: Path | None) -> None:
        if shutil.which("podman") is None:
            raise BuildError("podman is not installed: apt-get install podman crun")
        places = [] if storage is None else ["--root", storage / "images", "--runroot", storage / "run"]
        self._command = ["podman", "--cgroup-manager", "cgroupfs", *map(str, places)]

    def succeeds(self, *arguments: str) -> bool:
        """Run a command in silence; returns whether its exit code was 0."""
        return subprocess.run([*self._command, *arguments], capture_output=True, check=False).returncode == 0

    def run(self, *arguments: str) -> None:
        """Run a command, whose output is shown.

        Raises:
            BuildError: Its exit code was not 0.
        """
        done = subprocess.run([*self._command, *arguments], check=False)
        if done.returncode:
            raise BuildError(f"podman {arguments[0]} ended with exit code {done.returncode}: its reason is above")


def build(podman: Podman, tag: str) -> None:
    """Build the stage `service`."""
    base = base_image()
    found = podman.succeeds("image", "exists", base) or podman.succeeds("pull", "--quiet", base)
    if not found:
        sys.stderr.write(f"{base} cannot be pulled: a stand-in of Debian {DEBIAN} takes its place\n")
        make_stand_in(podman)
    options = ["--isolation", "chroot", "--format", "docker"]  # the other format drops the health check
    if not found:
        options += ["--pull=never", "--build-context", f"{base}=container-image://{STAND_IN}"]
    with tempfile.TemporaryDirectory() as directory:
        volumes = [f"--volume={volume}:ro" for volume in pip_volumes(Path(directory))]
        podman.run("build", *options, *volumes, "--target", "build", "--tag", INSTALLED, str(ROOT))
    # The layers are known by now. Without volumes, the image has no empty files where they were.
    podman.run("build", *options, "--target", "service", "--tag", tag, str(ROOT))


def base_image() -> str:
    """Read the base image of the Dockerfile."""
    found = set(re.findall(r"^FROM (\S+:\S+) AS", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    if len(found) != 1:
        raise BuildError(f"the stages of the Dockerfile begin from one base image, not from {sorted(found)}")
    return found.pop()


def make_stand_in(podman: Podman) -> None:
    """Install Debian's Python into an image, unless there is one already."""
    if podman.succeeds("image", "exists", STAND_IN):
        return
    if shutil.which("mmdebstrap") is None:
        raise BuildError("mmdebstrap is not installed: apt-get install mmdebstrap")
    with tempfile.TemporaryDirectory() as directory:
        archive = f"{directory}/base.tar"
        command = ["mmdebstrap", "--quiet", "--variant=apt", f"--include={PACKAGES}"]
        command += [f"--dpkgopt=path-exclude={path}" for path in UNUSED]
        command += ['--customize-hook=ln --symbolic python3 "$1/usr/bin/python"', DEBIAN, archive]
        if subprocess.run(command, check=False).returncode:
            raise BuildError("mmdebstrap could not install the packages of the stand-in: its reason is above")
        podman.run("import", "--quiet", archive, STAND_IN)


def pip_volumes(directory: Path) -> list[str]:
    """Write the configuration of pip to a file; returns the volumes of that file and of the paths that it names."""
    done = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    settings = RawConfigParser()
    for line in sorted(done.stdout.splitlines(), key=lambda line: line.startswith(":env:")):  # the environment wins
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        section = "global" if section == ":env:" else section
        if not settings.has_section(section):
            settings.add_section(section)
        settings.set(section, option, "\n".join(ast.literal_eval(value).split()))
    file = directory / "pip.conf"
    with file.open("w") as opened:
        settings.write(opened)
    words = [
        word.removeprefix("file://")
        for section in settings.values()
        for text in section.values()
        for word in text.split()
    ]
    named = {Path(word) for word in words if word.startswith("/")}
    places = {_mounted(path) for path in named if path.exists()}
    return [f"{file}:/etc/pip.conf", *(f"{place}:{place}" for place in sorted(places))]


def _mounted(path: Path) -> Path:
    """Choose what to mount for a path: the files of an index are next to it, and certificates are links."""
    if path.is_relative_to(CERTIFICATES):
        return CERTIFICATES
    return path if path.name != "simple" else path.parent


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description="Build the image of the service with podman, without a daemon.")
    parser.add_argument("--tag", default="gdssm", help="name of the image (default: gdssm)")
    parser.add_argument("--storage", type=Path, help="directory of podman's images (default: podman's own)")
    arguments = parser.parse_args()
    try:
        podman = Podman(arguments.storage and arguments.storage.resolve())
        build(podman, arguments.tag)
        if arguments.storage:  # images of earlier builds would fill the disk
            podman.run("image", "prune", "--force")
    except BuildError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
