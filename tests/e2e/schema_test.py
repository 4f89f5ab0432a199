"""The JSON Schema of the configuration: what it is made from, and that it and the loader agree."""

import json
import os
import re
import pathlib
import subprocess

import jsonschema
import yaml

import world

CASES = world.SOURCE / "tests" / "config" / "cases"
SCHEMA = world.SOURCE / "schemas" / "stsctl.schema.json"

# What no schema can express: references, the environment, other files, the text itself. A case the
# schema does reject has no place here.
ONLY_THE_LOADER = {
    "bad_address", "bad_names", "bad_reference", "duplicate_domain", "duplicate_key", "include_faulty",
    "include_itself", "include_missing", "live_beside_preset", "merge_key",
    "no_dns", "no_mx", "nothing_managed", "reference_outside_settings", "syntax", "tabs",
    "two_documents", "undefined_account", "unset_variable", "version_missing",
}
NO_YAML = {"open_quote", "open_quote_in_braces", "syntax", "tabs", "two_documents"}


def read(path):
    return yaml.safe_load(path.read_text())


class Schema(world.World):
    def setUp(self):
        super().setUp()
        self.validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))

    def accepted_by_loader(self, path):
        result = subprocess.run([world.STSCTL, "-c", path.name, "validate"], cwd=path.parent,
                                capture_output=True, text=True)
        self.assertIn(result.returncode, (0, 64), result.stderr)
        return result.returncode == 0

    def test_the_committed_file_is_what_the_program_prints(self):
        printed = self.run_it("schema", check=0).stdout
        if os.environ.get("STSCTL_UPDATE"):
            SCHEMA.write_text(printed)
        self.assertEqual(SCHEMA.read_text(), printed)
        jsonschema.Draft202012Validator.check_schema(json.loads(printed))

    def test_cases(self):
        rejected = 0
        for path in sorted(CASES.glob("*.yaml")):
            with self.subTest(path.stem):
                good = self.accepted_by_loader(path)
                if path.stem in NO_YAML:
                    self.assertRaises(yaml.YAMLError, read, path)
                    self.assertFalse(good)
                    continue
                fits = self.validator.is_valid(read(path))
                if path.stem in ONLY_THE_LOADER:
                    self.assertEqual((fits, good), (True, False))
                    continue
                self.assertEqual(fits, good, "schema and loader disagree")
                rejected += not fits
        self.assertGreater(rejected, 15)

    def test_ids_one_by_one(self):
        for value in ("a", "20260101", "a" * 32, "a" * 33, "a-b", "", "a b", "ä"):
            with self.subTest(value):
                domain = {"preset": "proton", "id": {"strategy": "fixed", "value": value}}
                self.config(f"  example.com: {json.dumps(domain)}\n")
                path = self.dir / "stsctl.yaml"
                self.assertEqual(self.validator.is_valid(read(path)), self.accepted_by_loader(path))

    def test_examples(self):
        found = 0
        for path in sorted(world.SOURCE.glob("examples/**/stsctl.yaml")):
            with self.subTest(str(path)):
                self.validator.validate(read(path))
                env = {name: "eA==" for name in re.findall(r"\$\{env:(\w+)\}", path.read_text())}
                result = subprocess.run([world.STSCTL, "validate"], cwd=path.parent, text=True,
                                        capture_output=True, env={**os.environ, **env})
                self.assertEqual(result.returncode, 0, result.stderr)
                found += 1
        self.assertGreater(found, 0)
        for path in world.SOURCE.glob("examples/**/customers/*.yaml"):
            self.validator.validate(read(path))

    def test_init_writes_a_configuration_that_is_valid(self):
        self.run_it("init", check=0)
        self.validator.validate(read(self.dir / "stsctl.yaml"))
        self.run_it("validate", check=0)
        self.assertIn("kept", self.run_it("init", check=1).stderr)
        os.truncate(self.dir / "stsctl.yaml", 2 << 30)  # there, though too long to be read
        self.assertIn("kept", self.run_it("init", check=1).stderr)
        self.run_it("init", "--force", check=0)

    def test_hover_texts(self):
        schema = json.loads(SCHEMA.read_text())
        for name, field in schema["$defs"]["domain"]["properties"].items():
            self.assertTrue(field.get("description"), name)


if __name__ == "__main__":
    world.main()
