"""Weights on the Hugging Face Hub. They are fetched only where a user writes `hub:` in front of a name."""

from pathlib import Path

HUB = "hub:"
KINDS = "*.json", "*.txt", "*.model", "model.safetensors", "README.md"


def from_hub(name: str) -> Path:
    """The folder that the files of a repository are downloaded to: its weights, and no pickles and no code."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(KINDS)))
    except Exception as error:
        raise ValueError(
            f"{name} cannot be had from the Hugging Face Hub: {' '.join(str(error).split())[:200]}"
        ) from None


def to_hub(folder: Path, name: str, private: bool = False) -> str:
    """Upload the files of a folder into a repository, which is made if there is none, and return its address."""
    from huggingface_hub import HfApi

    api = HfApi()
    address = api.create_repo(name, private=private, exist_ok=True)
    api.upload_folder(repo_id=name, folder_path=folder)
    return str(address)
