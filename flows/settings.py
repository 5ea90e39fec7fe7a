"""Settings: flags, then the environment (KERAWANAN_*), then these defaults. Nothing is read at import."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.readers.pool import ReaderLimits
from schemas.errors import UsageError
from schemas.sentence import Language, Sentence
from warehouse.store.signing import Signer
from warehouse.store.store import Store

LEAST_READER_MEMORY = 256_000_000  # bytes: below it even the smallest file may not be read
UNITS = {"K": 1, "M": 2, "G": 3, "T": 4}


def _bytes(text: str) -> int:
    """How many bytes a size is, written like 1GB (of 1000) or 1GiB (of 1024)."""
    number, unit, binary = re.fullmatch(r"([\d.]+)\s*([KMGT])(i?)B", text).groups()  # type: ignore[union-attr]
    return int(float(number) * (1024 if binary else 1000) ** UNITS[unit])


class WrongSettings(UsageError):
    """Settings that cannot be. Its sentences say which, and what they have to be."""

    def __init__(self, wrong: Iterable[Sentence]) -> None:
        self._wrong = tuple(wrong)
        super().__init__(*(" ".join(f"{each[language]}." for each in self._wrong) for language in ("en", "id")))

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Each wrong setting."""
        return self._wrong


class Settings(BaseSettings):
    """What a run needs to know beside its request."""

    model_config = SettingsConfigDict(env_prefix="KERAWANAN_", env_ignore_empty=True, extra="ignore")

    store: str = Field(default="store", description="a folder or s3://bucket/prefix")
    methodology: Path | None = Field(default=None, description="folder with methodology files of your own")
    memory_limit: str = Field(
        default="4GB",
        description="memory for the engine, written like 1GB or 512MB",
        pattern=r"^\d+(\.\d+)?\s*([KMGT]i?B)$",
    )
    threads: int | None = Field(
        default=None, ge=1, le=1024, description="a number of threads for the engine, 1 or more"
    )
    reader_memory: str = Field(
        default="1GB",
        description="memory for reading one file, written like 1GB or 512MB, 256MB or more",
        pattern=r"^\d+(\.\d+)?\s*([KMGT]i?B)$",
    )
    reader_seconds: int = Field(
        default=20, ge=1, le=86_400, description="seconds of computing for reading one file, 1 or more"
    )
    readers: int | None = Field(default=None, ge=1, le=1024, description="how many files are read at a time, 1 or more")
    keep_days: int = Field(default=90, ge=1, le=36500, description="a number of days, 1 or more")
    log: Literal["none", "json"] = Field(default="none", description="'json' or 'none'")
    lang: Language | None = Field(default=None, description="'id' or 'en'")
    notices: SecretStr | None = Field(default=None, description="an address that notices are posted to")
    signing_key: SecretStr | None = Field(default=None, description="an Ed25519 private key in PEM")
    signing_key_file: Path | None = Field(default=None, description="a file with an Ed25519 private key in PEM")

    def without_secrets(self) -> dict[str, Any]:
        """These settings but for secrets, as text that is passed to other machines; folders by their whole paths."""
        plain = self.model_dump(mode="json", exclude={"signing_key", "signing_key_file", "notices"}, exclude_none=True)
        plain |= {"store": Store(self.store).url}
        if self.methodology:
            plain |= {"methodology": self.methodology.resolve()}
        return {name: str(value) for name, value in plain.items()}

    @field_validator("reader_memory")
    @classmethod
    def _is_enough(cls, text: str) -> str:
        if _bytes(text) < LEAST_READER_MEMORY:
            raise ValueError
        return text

    @property
    def reading(self) -> ReaderLimits:
        """What reading one file may take, and how many are read at a time."""
        return ReaderLimits(_bytes(self.reader_memory), self.reader_seconds, self.readers)

    def signer(self) -> Signer | None:
        """Who signs what is appended to logs; None where no key is set. Raises UsageError."""
        if self.signing_key:
            return Signer(self.signing_key.get_secret_value().encode())
        if not self.signing_key_file:
            return None
        try:
            return Signer(self.signing_key_file.read_bytes())
        except OSError as error:
            raise UsageError(
                f"the signing key {self.signing_key_file} cannot be read ({error.strerror}).",
                f"kunci tanda tangan {self.signing_key_file} tidak dapat dibaca ({error.strerror}).",
            ) from None


def settings_from(given: Mapping[str, Any]) -> Settings:
    """The settings; what is given (and not None) goes before the environment. Raises WrongSettings."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = [(f"{each['loc'][0]} '{each['input']}'", str(each["loc"][0])) for each in error.errors()]
        must = Settings.model_fields
        raise WrongSettings(
            Sentence(f"{found} harus berupa {must[name].description}", f"{found} is not {must[name].description}")
            for found, name in wrong
        ) from None
