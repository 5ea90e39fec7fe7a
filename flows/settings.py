"""Settings: flags, then the environment (KERAWANAN_*), then these defaults. Nothing is read at import."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What a run needs to know beside its request."""

    model_config = SettingsConfigDict(env_prefix="KERAWANAN_", env_ignore_empty=True, extra="ignore")

    store: str = Field(default="store", description="folder of the store")
    methodology: Path | None = Field(default=None, description="folder with methodology files of your own")
    memory_limit: str = Field(
        default="4GB",
        description="memory for the engine, written like 1GB or 512MB",
        pattern=r"^\d+(\.\d+)?\s*([KMGT]i?B)$",
    )
    threads: int | None = Field(
        default=None, ge=1, le=1024, description="a number of threads for the engine, 1 or more"
    )
