"""The functions of the provider: questions about the world that change nothing."""

from collections.abc import Mapping
from typing import Any

from sandbox.google.errors import RefusedError
from sandbox.google.facts import load_table
from sandbox.google.outputs import Settings, project_number


def answer(token: str, arguments: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The answer to a function call. Raises `RefusedError` for a function that is not imitated."""
    functions = {
        "gcp:organizations/getProject:getProject": _get_project,
        "gcp:organizations/getClientConfig:getClientConfig": _get_client_config,
        "gcp:logging/getProjectCmekSettings:getProjectCmekSettings": _get_cmek_settings,
        "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess": _get_secret_version_access,
    }
    if token not in functions:
        known = ", ".join(sorted(functions))
        raise RefusedError(f"the imitation of Google Cloud has no function {token}; it has {known}")
    return functions[token](arguments, settings)


def _get_project(arguments: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    project = arguments.get("projectId") or settings.project
    if not project:
        raise RefusedError("project: required field is not set")
    return {
        "id": f"projects/{project}",
        "projectId": project,
        "name": project,
        "number": project_number(project),
        "autoCreateNetwork": False,
        "billingAccount": "000000-000000-000000",
        "deletionPolicy": "PREVENT",
        "folderId": "",
        "orgId": "",
        "labels": {},
        "effectiveLabels": {},
        "pulumiLabels": {},
        "tags": {},
    }


def _get_cmek_settings(arguments: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    project = arguments.get("project") or settings.project
    account = f"service-{project_number(project)}@{load_table('agents')['logging.googleapis.com']['domain']}"
    return {
        "id": f"projects/{project}/cmekSettings",
        "name": f"projects/{project}/cmekSettings",
        "project": project,
        "kmsKeyName": arguments.get("kmsKeyName") or "",
        "kmsKeyVersionName": "",
        "serviceAccountId": account,
    }


def _get_secret_version_access(arguments: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Secrets are made by hand before anything else; here each version is taken to exist."""
    project, secret = arguments.get("project") or settings.project, arguments["secret"]
    version = arguments.get("version") or "1"
    return {
        "id": f"projects/{project_number(project)}/secrets/{secret}/versions/{version}",
        "name": f"projects/{project_number(project)}/secrets/{secret}/versions/{version}",
        "project": project,
        "secret": secret,
        "version": version,
        "isSecretDataBase64": arguments.get("isSecretDataBase64") or False,
        "secretData": f"stand-in-for-{secret}-{version}",
    }


def _get_client_config(_: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    return {
        "id": f"projects/{settings.project}/regions/{settings.region}/zones/{settings.zone}",
        "project": settings.project,
        "region": settings.region,
        "zone": settings.zone,
        "accessToken": "",
        "defaultLabels": dict(settings.default_labels),
    }
