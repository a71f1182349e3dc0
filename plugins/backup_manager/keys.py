"""Which key seals a new backup, and which one opens an old one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from .faults import KeyUnknown
from .sealing import Seal

MIN_CHARACTERS: Final = 32
_NAMESPACE: Final = "backup_manager"
_HOW: Final = "PUT /plugins/backup_manager/secrets/encryption_key"


class Keys:
    """The keys of an operator: an AWS KMS key by its ARN, or the secrets.

    ``kms_key_id`` is empty where there is none. ``secrets`` has ``encryption_key``, with which new backups are sealed,
    and ``retired_keys``: former ones, a line each, which open what they sealed.
    """

    def __init__(self, kms_key_id: str, secrets: Mapping[str, str]) -> None:
        self._kms_key_id = kms_key_id
        self._secrets = secrets

    def check(self) -> None:
        """Do nothing where there is a key for a new backup.

        Raises:
            KeyUnknown: the operator has given none, or one that is too short.
        """
        if not self._kms_key_id:
            self._value()

    def to_seal(self) -> Seal:
        """Return the seal for a new backup.

        Raises:
            KeyUnknown: the operator has given no key, or one that is too short.
        """
        if self._kms_key_id:
            return Seal(self._kms_key_id, _kms_keyring(self._kms_key_id))
        return _raw_seal(self._value())

    def to_open(self, name: str) -> Seal:
        """Return the seal of the key ``name``.

        Raises:
            KeyUnknown: none of the secrets is this key.
        """
        if name.startswith("arn:"):
            return Seal(name, _kms_keyring(name))
        for value in self._raw():
            if key_name(value) == name:
                return _raw_seal(value)
        known = ", ".join(key_name(value) for value in self._raw()) or "none"
        raise KeyUnknown(
            f"the backup was encrypted with the key {name}, and the secrets encryption_key and retired_keys have "
            f"{known}: add that key as a line of retired_keys with PUT /plugins/backup_manager/secrets/retired_keys"
        )

    def _value(self) -> str:
        value = (self._secrets.get("encryption_key") or "").strip()
        if not value:
            raise KeyUnknown(
                f"there is no key to encrypt with: set at least {MIN_CHARACTERS} random characters with {_HOW}, or a "
                "kms_key_id in the config"
            )
        if len(value) < MIN_CHARACTERS:
            raise KeyUnknown(f"encryption_key has {len(value)} characters: set at least {MIN_CHARACTERS} with {_HOW}")
        return value

    def _raw(self) -> Iterator[str]:
        for value in (self._secrets.get("encryption_key"), *(self._secrets.get("retired_keys") or "").splitlines()):
            if value and value.strip():
                yield value.strip()


def key_name(value: str) -> str:
    """Return the name of a key that a secret holds. It tells one from another, and nothing more."""
    return _derived(value, b"name").hex()[:16]


def _raw_seal(value: str) -> Seal:
    from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
    from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
    from aws_cryptographic_material_providers.mpl.models import AesWrappingAlg, CreateRawAesKeyringInput

    name = key_name(value)
    keyring = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig()).create_raw_aes_keyring(
        input=CreateRawAesKeyringInput(
            key_namespace=_NAMESPACE,
            key_name=name,
            wrapping_key=_derived(value, b"wrapping key"),
            wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
        )
    )
    return Seal(name, keyring)


def _kms_keyring(arn: str) -> object:
    import boto3
    from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
    from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
    from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsKeyringInput

    client = boto3.client("kms", region_name=arn.split(":")[3])  # pyright: ignore[reportUnknownMemberType]  # only our services have stubs
    return AwsCryptographicMaterialProviders(config=MaterialProvidersConfig()).create_aws_kms_keyring(
        input=CreateAwsKmsKeyringInput(kms_key_id=arn, kms_client=client)
    )


def _derived(value: str, purpose: bytes) -> bytes:
    """Return 32 bytes of the random text ``value``, others for each purpose."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"backup_manager " + purpose).derive(value.encode())
