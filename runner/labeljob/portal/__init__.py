"""The labeling portal: a private team labels in a browser, and this machine serves it."""

SECRET_VARIABLE = "LABELJOB_OIDC_SECRET"
"""Environment variable with the secret of a client of OpenID Connect."""
