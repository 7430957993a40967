"""Lower Sigma rules with pySigma: `lower.py OUT.json RULE_DIR...`

Writes a JSON array with one object for each rule of the *.yml files under the directories:
{"id", "path", "title", "tree"}, or {"path", "refused"} where pySigma does not accept the rule.

Trees: {"and": [..]}, {"or": [..]}, {"not": x}, or {"field": name or null, "value": V}.
V is one of
  {"string": [parts], "cased": bool}   parts: {"lit": text}, "*", "?", {"placeholder": name}
  {"number": n}, {"bool": b}, {"null": true}, {"exists": b}, {"cidr": network}
  {"regex": pattern, "flags": some of "ims"}
  {"compare": "lt|lte|gt|gte|neq", "number": n}
  {"fieldref": name, "starts": b, "ends": b}
  {"timestamp_part": unit, "number": n}
  {"expansion": [V, ..]}               any of them
"""

import json
import multiprocessing
import sys
from pathlib import Path

import yaml
from sigma import types
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule
from sigma.rule.base import SigmaYAMLLoader

WILDCARDS = {
    types.SpecialChars.WILDCARD_MULTI: "*",
    types.SpecialChars.WILDCARD_SINGLE: "?",
}


def lower_part(part):
    if isinstance(part, types.Placeholder):
        return {"placeholder": part.name}
    if isinstance(part, types.SpecialChars):
        return WILDCARDS[part]
    return {"lit": part}


def lower_value(value):
    # A timestamp part is a number, too, and must come first.
    match value:
        case types.SigmaString():
            cased = isinstance(value, types.SigmaCasedString)
            return {"string": [lower_part(part) for part in value.s], "cased": cased}
        case types.SigmaTimestampPart():
            return {"timestamp_part": value.timestamp_part.name.lower(), "number": value.number}
        case types.SigmaNumber():
            return {"number": value.number}
        case types.SigmaBool():
            return {"bool": value.boolean}
        case types.SigmaNull():
            return {"null": True}
        case types.SigmaExists():
            return {"exists": value.exists}
        case types.SigmaCIDRExpression():
            return {"cidr": value.cidr}
        case types.SigmaRegularExpression():
            flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
            return {"regex": str(value.regexp), "flags": flags}
        case types.SigmaCompareExpression():
            return {"compare": value.op.name.lower(), "number": value.number.number}
        case types.SigmaFieldReference():
            return {"fieldref": value.field, "starts": value.starts_with, "ends": value.ends_with}
        case types.SigmaExpansion():
            return {"expansion": [lower_value(inner) for inner in value.values]}
    raise NotImplementedError(f"value of type {type(value).__name__}")


def lower_condition(node):
    match node:
        case ConditionAND():
            return {"and": [lower_condition(arg) for arg in node.args]}
        case ConditionOR():
            return {"or": [lower_condition(arg) for arg in node.args]}
        case ConditionNOT():
            return {"not": lower_condition(node.args[0])}
        case ConditionFieldEqualsValueExpression():
            return {"field": node.field, "value": lower_value(node.value)}
        case ConditionValueExpression():
            return {"field": None, "value": lower_value(node.value)}
    raise NotImplementedError(f"condition of type {type(node).__name__}")


def lower_document(path, document):
    rule = SigmaRule.from_dict(document)
    conditions = [lower_condition(c.parsed) for c in rule.detection.parsed_condition]
    tree = conditions[0] if len(conditions) == 1 else {"or": conditions}
    rule_id = str(rule.id) if rule.id else None
    return {"id": rule_id, "path": str(path), "title": rule.title, "tree": tree}


def lower_file(path):
    """One object for each document of the file, or a single refusal for the whole file."""
    try:
        with open(path, encoding="utf-8") as file:
            documents = [d for d in yaml.load_all(file, SigmaYAMLLoader) if d is not None]
        return [lower_document(path, document) for document in documents]
    except (SigmaError, yaml.YAMLError, NotImplementedError) as error:
        return [{"path": str(path), "refused": f"{type(error).__name__}: {error}"}]


def rule_files(directory):
    return [p for p in Path(directory).rglob("*.yml") if not p.name.endswith(".test.yml")]


def main(out, directories):
    paths = sorted(path for directory in directories for path in rule_files(directory))
    with multiprocessing.Pool() as pool:
        lowered = pool.map(lower_file, paths, chunksize=16)
    with open(out, "w", encoding="utf-8") as file:
        json.dump([rule for rules in lowered for rule in rules], file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
