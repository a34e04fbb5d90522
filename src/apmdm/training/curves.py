"""The curves of a training run, in TensorBoard's format."""

import os
import socket
import time
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event  # pyrefly: ignore[missing-module-attribute]
from tensorboard.compat.proto.summary_pb2 import Summary  # pyrefly: ignore[missing-module-attribute]
from tensorboard.summary.writer.record_writer import RecordWriter


class Curves:
    """Scalars by step, in a new event file of a folder.

    They are written where they are added, not in a thread of their own, so that a full disk is an OSError there.
    """

    def __init__(self, folder: Path) -> None:
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        self.folder = folder
        self.records = RecordWriter((folder / name).open("wb", buffering=0))
        self._write(file_version="brain.Event:2")

    def add(self, scalars: dict[str, float], step: int) -> None:
        values = [Summary.Value(tag=name, simple_value=value) for name, value in scalars.items()]
        self._write(step=step, summary=Summary(value=values))

    def close(self) -> None:
        self.records.close()

    def _write(self, **content: Any) -> None:
        try:
            self.records.write(Event(wall_time=time.time(), **content).SerializeToString())
        except OSError as error:
            raise OSError(
                f"could not write the curves of training in {self.folder}: {error}; a checkpoint there is untouched"
            ) from error
