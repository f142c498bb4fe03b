"""All 46 ids of the severity policy v2, with their severity and what each asks for in our own words.

The ids and severities are those of ``openenv/validation/policies/severity-v2.json`` in OpenEnv 0.10.0; the
words are ours, since most ids have no grader there yet. A test compares the list with the package's.
"""

from __future__ import annotations

from collections.abc import Mapping

STATIC: Mapping[str, tuple[str, str]] = {
    "manifest": ("fail", "a manifest that tools can read, with graders and bounds"),
    "reproducible_build": ("fail", "the same sources build the same image"),
    "image_hygiene": ("warn", "an image without root, secrets and clutter"),
    "layout": ("warn", "files where tools look for them"),
    "sbom": ("fail", "a complete list of what is inside"),
    "oci_labels": ("fail", "an image that says what it is"),
    "resource_declaration": ("fail", "declared needs"),
    "timeout_ceiling": ("fail", "episodes that end in time"),
    "dependency_pinning": ("fail", "one version of every dependency"),
    "task_distribution_pinning": ("fail", "tasks drawn from something that does not change"),
}
RUNTIME: Mapping[str, tuple[str, str]] = {
    "startup": ("fail", "a server that starts"),
    "reward_well_formed": ("fail", "finite rewards in the declared range"),
    "rubric_introspectable": ("warn", "a score whose parts can be looked at"),
    "observation_schema": ("fail", "observations as declared"),
    "state_contract": ("fail", "state that keeps id and count"),
    "trajectory_record": ("warn", "a record of what happened"),
    "reward_attribution": ("warn", "rewards that can be traced to what earned them"),
    "tool_declaration_accuracy": ("fail", "tools that are what they say"),
    "task_declaration_accuracy": ("fail", "tasks that are what is declared"),
    "seed_control": ("fail", "seeds that decide"),
    "episode_determinism": ("fail", "the same again, given seed and actions"),
    "network_policy": ("fail", "no network"),
    "host_containment": ("fail", "no hands on the host"),
    "resource_bounds": ("fail", "needs within what is declared"),
    "episode_isolation": ("fail", "episodes that do not touch each other"),
    "oracle_containment": ("fail", "a solution that stays hidden"),
}
SEMANTIC: Mapping[str, tuple[str, str]] = {
    "oracle_max": ("fail", "an oracle that reaches the maximum"),
    "floor_gap": ("fail", "an oracle far above doing nothing"),
    "canary_floor": ("fail", "nothing for nothing"),
    "no_solution_leakage": ("fail", "no hint of the solution in what is told"),
    "verifier_determinism": ("fail", "a grader that always says the same"),
    "verifier_portability": ("fail", "a grader that runs anywhere"),
    "resource_envelope": ("fail", "episodes within their time"),
    "replayability": ("fail", "episodes that can be played again"),
}
STATISTICAL: Mapping[str, tuple[str, str]] = {
    "reward_reachability": ("fail", "reward that ordinary play can find"),
    "difficulty_separation": ("fail", "harder settings that are harder"),
    "headroom": ("warn", "room above the best reference"),
    "variance_bound": ("fail", "luck that does not rule"),
    "training_signal": ("advisory", "something to learn"),
    "adversarial_floor": ("fail", "nothing for cheats"),
    "gameability_gap": ("warn", "honest play above clever guessing"),
}
HUB: Mapping[str, tuple[str, str]] = {
    "layer_isolation": ("warn", "image layers that hide nothing"),
    "time_to_first_work": ("warn", "a quick first answer"),
    "cosign_signature": ("warn", "a signed image"),
    "cross_host_determinism": ("fail", "the same on another machine"),
    "immutable_versioning": ("fail", "a version that means one thing"),
}

POLICY: Mapping[str, tuple[str, str]] = {
    f"{group}.{name}": row
    for group, rows in (
        ("static", STATIC),
        ("runtime", RUNTIME),
        ("semantic", SEMANTIC),
        ("hub", HUB),
        ("statistical", STATISTICAL),
    )
    for name, row in rows.items()
}
"""Id to severity and what it asks for."""
