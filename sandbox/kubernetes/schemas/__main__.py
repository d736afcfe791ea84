"""Renew the published schemas from their Go modules: `python -m sandbox.kubernetes.schemas`."""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.kubernetes.kinds import OMITTED

_FOLDER: Final = Path(__file__).parent
_STABLE: Final = re.compile(r"_*v\d+_openapi\.json$")
_COLLECTION: Final = re.compile(
    r"^/apis?/(?P<version>.+/v\d+|v\d+)/(namespaces/\{namespace\}/)?(?P<plural>[a-z]+)$"
)
_STRUCT: Final = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
# A field that is no pointer and left out when it is empty.
_OMITTED: Final = re.compile(r'^\s+\w+\s+[^*\s]\S*\s+`json:"(\w+),omitempty"', re.MULTILINE)
_PROSE: Final = ("description", "example", "externalDocs", "title")
# What only controllers and clients of the API server read.
_UNUSED: Final = (
    "x-kubernetes-group-version-kind",
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-patch-strategy",
)


def main() -> int:
    """Write the data files named on the command line, or all, and say what is in them."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.kubernetes.schemas", description=main.__doc__)
    sources = yaml.safe_load((_FOLDER / "sources.yaml").read_text(encoding="utf-8"))
    parser.add_argument("names", nargs="*", choices=[*sources, []], help="rows of sources.yaml")
    names = parser.parse_args().names or list(sources)
    for name in names:
        source = sources[name]
        folder = _download(source["module"], source["version"])
        content = _read(source, folder)
        (_FOLDER / f"{name}.json").write_text(_lay_out(_about(source) | content), encoding="utf-8")
        sys.stdout.write(f"{name}: {', '.join(f'{len(rows)} {key}' for key, rows in content.items())}\n")
    return 0


def _download(module: str, version: str) -> Path:
    """The folder of a Go module, fetched by the Go client where it is not there yet."""
    command = ["go", "mod", "download", "-json", f"{module}@{version}"]
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(command, cwd=empty, capture_output=True, text=True)
    answer = json.loads(done.stdout or "{}")
    if "Dir" not in answer:
        raise SystemExit(f"{module}@{version} cannot be had: {answer.get('Error') or done.stderr.strip()}")
    return Path(answer["Dir"])


def _read_omitted(types: Mapping[str, Any]) -> dict[str, set[str]]:
    """The fields of Go types that are left out when they are empty, by the name of the definition."""
    omitted: dict[str, set[str]] = {}
    for prefix, source in types.items():
        root = _download(source["module"], source["version"]) / source["folder"]
        for path in sorted(root.rglob("types.go")):
            package = ".".join((prefix, *path.parent.relative_to(root).parts))
            for name, body in _STRUCT.findall(path.read_text(encoding="utf-8")):
                omitted[f"{package}.{name}"] = set(_OMITTED.findall(body))
    return omitted


def _mark_omitted(definitions: Mapping[str, Any], omitted: Mapping[str, set[str]]) -> None:
    """Say in the definitions which properties are left out; structs never are."""
    for name, definition in definitions.items():
        for field, schema in definition.get("properties", {}).items():
            is_struct = "$ref" in schema or (
                schema.get("type") == "object" and "additionalProperties" not in schema
            )
            if field in omitted.get(name, ()) and not is_struct:
                schema[OMITTED] = True


def _about(source: Mapping[str, Any]) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, date) else value for key, value in source.items()}


def _read(source: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    if "openapi" in source:
        content = _read_openapi(folder / source["openapi"])
        _mark_omitted(content["definitions"], _read_omitted(source["types"]))
        return content
    if "crds" in source:
        return _read_crds(folder / source["crds"])
    return {"releases": [_read_chart(folder / source["chart"])]}


def _read_openapi(folder: Path) -> dict[str, Any]:
    """The kinds of all stable versions, and the definitions that they need."""
    kinds, definitions = [], {}
    for path in sorted(folder.glob("*_openapi.json")):
        if _STABLE.search(path.name):
            document = json.loads(path.read_text(encoding="utf-8"))
            kinds += _list_kinds(document)
            definitions |= document["components"]["schemas"]
    for kind in kinds:
        definition = definitions[kind["schema"]]
        definition["properties"].pop("status", None)
    needed = {
        name: _simplify(definitions[name]) for name in _reach(definitions, [kind["schema"] for kind in kinds])
    }
    return {"kinds": kinds, "definitions": needed}


def _list_kinds(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    schemas = {
        (each["group"], each["version"], each["kind"]): name
        for name, schema in document["components"]["schemas"].items()
        for each in schema.get("x-kubernetes-group-version-kind", ())
    }
    for path, verbs in document["paths"].items():
        match = _COLLECTION.match(path)
        if match and {"get", "post"} <= verbs.keys():
            kind = verbs["post"]["x-kubernetes-group-version-kind"]
            yield {
                "apiVersion": match["version"],
                "kind": kind["kind"],
                "plural": match["plural"],
                "namespaced": "{namespace}" in path,
                "schema": schemas[kind["group"], kind["version"], kind["kind"]],
            }


def _reach(definitions: Mapping[str, Any], names: list[str]) -> list[str]:
    """The names of definitions that the given ones refer to, directly or not, sorted."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(definitions[name]))
    return sorted(found)


def _read_crds(folder: Path) -> dict[str, Any]:
    """The stored version of each custom resource; its schema stands under its own name."""
    kinds, definitions = [], {}
    for path in sorted(folder.glob("*.yaml")):
        for document in yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
            if document and document["kind"] == "CustomResourceDefinition":
                row, schema = _read_crd(document["spec"])
                kinds.append(row)
                definitions[row["schema"]] = schema
    return {"kinds": kinds, "definitions": definitions}


def _read_crd(spec: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    stored = next(version for version in spec["versions"] if version["storage"])
    api_version = f"{spec['group']}/{stored['name']}"
    schema = _simplify(stored["schema"]["openAPIV3Schema"])
    schema["properties"].pop("status", None)
    row = {
        "apiVersion": api_version,
        "kind": spec["names"]["kind"],
        "plural": spec["names"]["plural"],
        "namespaced": spec["scope"] == "Namespaced",
        "schema": f"{api_version}/{spec['names']['kind']}",
    }
    return row, schema


def _read_chart(folder: Path) -> dict[str, Any]:
    about = yaml.safe_load((folder / "Chart.yaml").read_text(encoding="utf-8"))
    values = yaml.safe_load((folder / "values.yaml").read_text(encoding="utf-8"))
    resources = {path.name.partition("_")[0] for path in (folder / "templates" / "crd").glob("*_*.yaml")}
    return {
        "name": about["name"],
        "version": about["version"],
        "appVersion": about["appVersion"],
        "groups": sorted(resources),
        "values": values,
    }


def _simplify(value: Any) -> Any:
    """A schema without prose, with short references and without lists of one `allOf`."""
    if isinstance(value, list):
        return [_simplify(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return {"$ref": value["$ref"].rpartition("/")[2]}
    kept: dict[str, Any] = {
        key: _simplify_all(item) if key == "properties" else _simplify(item)
        for key, item in value.items()
        if key not in _UNUSED and not (key in _PROSE and isinstance(item, str))
    }
    parts = kept.get("allOf", [])
    if len(parts) == 1:
        del kept["allOf"]
        return {**parts[0], **kept}
    return kept


def _simplify_all(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A schema's properties, any of which may be called as a keyword is."""
    return {name: _simplify(schema) for name, schema in properties.items()}


def _lay_out(content: Mapping[str, Any]) -> str:
    """JSON with one row or definition a line, so that differences can be read."""
    parts = [f"{json.dumps(key)}: {_lay_out_part(value)}" for key, value in content.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lay_out_part(value: Any) -> str:
    if isinstance(value, list):
        return "[\n" + ",\n".join(json.dumps(row) for row in value) + "\n]"
    if isinstance(value, dict):
        rows = (f"{json.dumps(name)}: {json.dumps(value[name])}" for name in sorted(value))
        return "{\n" + ",\n".join(rows) + "\n}"
    return json.dumps(value)


if __name__ == "__main__":
    raise SystemExit(main())
