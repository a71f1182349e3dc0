"""Where the files of jobs and uploads are. Those below transfers/ go by themselves after a day."""

from __future__ import annotations


def chunk(job_id: str, step: int) -> str:
    """Return the name of a part of an export's file, which goes when the file is there."""
    return f"exports/{job_id}/{step:05}"


def directory(job_id: str, step: int) -> str:
    """Return the name of what makes a part of an archive an archive; it stays, so that an import can read that part."""
    return f"exports/{job_id}/{step:05}-directory"


def file(job_id: str) -> str:
    """Return the name of an export's file."""
    return f"exports/{job_id}/file"


def upload(upload_id: str, number: int) -> str:
    return f"transfers/{upload_id}/upload/{number:05}"


def text(job_id: str) -> str:
    """Return the name of a text that came with the request of an import."""
    return f"transfers/{job_id}/text"


def piece(job_id: str, step: int, number: int) -> str:
    """Return the name of a piece of what an import reads, unpacked."""
    return f"transfers/{job_id}/pieces/{step:05}-{number:05}"


def rest(job_id: str, step: int) -> str:
    """Return the name of what is left over of the pieces before ``step``."""
    return f"transfers/{job_id}/rests/{step:05}"


def lines(job_id: str, step: int, number: int) -> str:
    """Return the name of lines that the server loads."""
    return f"transfers/{job_id}/lines/{step:05}-{number:05}.jsonl"


def places(lines_name: str) -> str:
    """Return the name of what says where in the user's file each of the lines ``lines_name`` comes from."""
    return f"{lines_name}.places"
