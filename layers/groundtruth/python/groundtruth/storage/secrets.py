"""Texts that are kept in AWS Secrets Manager."""

from __future__ import annotations

from functools import cache

from groundtruth.errors import StorageError


@cache
def read_secret(arn: str) -> str:
    """Text of a secret, read once by each function instance.

    Parameters
    ----------
    arn : str
        The secret's ARN.

    Raises
    ------
    StorageError
        If it cannot be read, or holds no text.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(
        connect_timeout=2,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 4},
    )
    try:
        client = boto3.client("secretsmanager", config=config)
        text: str = client.get_secret_value(SecretId=arn).get("SecretString", "")
    except (BotoCoreError, ClientError) as error:
        raise StorageError(
            f"the secret cannot be read: {error}. Let the function's role read it and use its "
            "KMS key, and give a VPC a way to Secrets Manager",
            uri=arn,
            reason="unavailable",
        ) from error
    if not text.strip():
        raise StorageError(
            "the secret holds no text: put one into its SecretString", uri=arn, reason="not-found"
        )
    return text
