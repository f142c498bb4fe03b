"""What an attack is, and the list of all of them.

A *policy attack* plays whole programmes and is measured beside the honest reference policies. A *probe* asks
one question of the environment or of a running server and gets one answer: held, or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from types import MappingProxyType

from molforge.contract import Environment
from molforge.policies import Policy


class Rank(StrEnum):
    """What a policy attack may earn."""

    EMPTY = "empty"
    """Content-free: at most random play (+ 2 standard errors of the paired difference)."""
    SKILLED = "skilled"
    """Knows chemistry or the package but buys next to nothing: below the planner by 2 standard errors."""
    TWIST = "twist"
    """An honest policy with one thing bent: at most that policy (+ 2 standard errors)."""
    INFORMED = "informed"
    """Pays the whole price and knows more than an agent may: published, not judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAttack:
    """A way to play that ought not to pay."""

    name: str
    claim: str
    """What it believes, in one line."""
    rank: Rank
    entry: str
    """``module:name`` of a factory ``(environment) -> Policy``."""
    against: str = "random"
    """The policy it is compared with."""
    families: tuple[str, ...] = ()
    """Families it makes sense in; empty for all."""

    def __call__(self, environment: Environment) -> Policy:
        """Return the policy, ready to play one programme of this environment."""
        module, name = self.entry.split(":")
        factory: Callable[[Environment], Policy] = getattr(import_module(module), name)
        return factory(environment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a probe found."""

    held: bool
    detail: str
    """The figure, or what was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question with a yes or no."""

    name: str
    claim: str
    entry: str
    """``module:name`` of a function without arguments that returns a ``Finding``."""
    needs_server: bool = False

    def __call__(self) -> Finding:
        """Run it."""
        module, name = self.entry.split(":")
        function: Callable[[], Finding] = getattr(import_module(module), name)
        return function()


def _ranked(
    rank: Rank,
    rows: Mapping[str, tuple[str, str]],
    *,
    against: str = "random",
    families: tuple[str, ...] = (),
) -> list[PolicyAttack]:
    """Return attacks of one rank, from name to what it believes and its entry in this package."""
    return [
        PolicyAttack(
            name=name, claim=claim, rank=rank, entry=f"redteam.{entry}", against=against, families=families
        )
        for name, (entry, claim) in rows.items()
    ]


_POLICIES = (
    *_ranked(
        Rank.EMPTY,
        {
            "stop": ("scripts:Stop", "closing every programme at once pays"),
            "nominate_lead": ("scripts:NominateLead", "the lead, given for free, is good enough"),
            "lead_wide": (
                "scripts:NominateLeadWide",
                "an infinite interval around the lead's readings is calibration",
            ),
            "one_molecule": ("scripts:OneMolecule", "one molecule, the same everywhere, hits by luck"),
            "wait": ("scripts:Wait", "doing nothing until the steps run out pays"),
            "nonsense": ("scripts:Nonsense", "refused actions earn something before the end"),
            "suggest_only": ("scripts:SuggestOnly", "asking for suggestions is progress"),
            "read_the_lead": ("scripts:ReadTheLead", "evidence alone, the whole budget on the lead, pays"),
            "cycle": ("scripts:Cycle", "readings that go up and down can be farmed for reward"),
            "first_suggestion": ("scripts:FirstSuggestion", "the first suggestion, made and unread, will do"),
            "first_stated": (
                "scripts:FirstStated",
                "the first suggestion, read twice and stated with what was read, will do",
            ),
            "walk": (
                "scripts:Walk",
                "readings bought blindly all the way, then a stop, are proof of a dead programme",
            ),
            "fixed_list": (
                "scripts:FixedList",
                "56 set structures, the same everywhere, read once and a stop are proof of a dead programme",
            ),
            "set_list": ("scripts:SetListThenStop", "buying a set list and then stopping is a decision"),
        },
    ),
    *_ranked(
        Rank.SKILLED,
        {
            "cheapest": (
                "thumb:Cheapest",
                "the cheapest suggestion, for it is the simplest, and a lot of unspent money pay",
            ),
            "most_alike": (
                "thumb:MostAlike",
                "the suggestion most like all compounds in hand, or the most typical of a set, will do",
            ),
            "gentle": (
                "thumb:Gentle",
                "the edit that a chemist would call the least risky, made blindly, is good enough",
            ),
        },
        against="planner",
    ),
    *_ranked(
        Rank.TWIST,
        {
            "zero_width": ("twists:zero_width", "an interval of no width is the best interval"),
            "huge_width": ("twists:huge_width", "an interval of 10^300 covers everything"),
            "one_by_one": (
                "twists:one_by_one",
                "splitting every call into single compounds buys better evidence for the money",
            ),
            "redrawn": (
                "twists:redrawn",
                "the same compound drawn another way is a new compound with new luck",
            ),
            "wait_out": ("twists:wait_out", "spending past the shift on the lead first costs nothing"),
        },
        against="greedy",
    ),
    *_ranked(
        Rank.SKILLED,
        {
            "memory": ("memory:memory", "the champion of the mean models wins in every world"),
            "guess": ("memory:guess", "the best expected profile over 200 own worlds wins without an assay"),
            "champion": ("replays:champion", "what won with other seeds wins here"),
            "other_split": (
                "replays:other_split",
                "the solution of the same seed in another split carries over",
            ),
            "other_task": (
                "replays:other_task",
                "the solution of the same seed in another family carries over",
            ),
            "other_difficulties": (
                "replays:other_difficulties",
                "what the same seed shows at other difficulties, with readings, is of the same world",
            ),
            "public_actives": ("replays:public_actives", "a published drug for the target, remembered, wins"),
            "free_search": ("searches:free_search", "genetic search on what costs nothing finds the answer"),
            "mean_search": (
                "searches:mean_search",
                "5,000 free evaluations of the shipped mean models find the answer without an assay",
            ),
            "model_search": (
                "searches:model_search",
                "genetic search on the value expected over worlds of one's own finds it without an assay",
            ),
            "holder_1": (
                "careful:holder_1",
                "package, free computation and one well-chosen compound suffice",
            ),
            "holder_4": (
                "careful:holder_4",
                "package, free computation and four compounds, chosen one at a time, suffice",
            ),
        },
        against="planner",
    ),
    *_ranked(
        Rank.SKILLED,
        {
            "convinced_stop": (
                "holder:convinced_stop",
                "four designs read deeply and a stop, whatever they say, collect the dead half",
            ),
            "blind_proof": (
                "holder:blind_proof",
                "48 designs bought as proof for a recognised target and a stop, whatever they say, suffice",
            ),
        },
        against="planner",
        families=("nogo",),
    ),
    *_ranked(
        Rank.INFORMED,
        {
            "holder": (
                "holder:holder",
                "package, free computation and the whole budget: the planner with the true prior",
            ),
        },
        against="planner",
    ),
    *_ranked(
        Rank.INFORMED,
        {
            "twice": (
                "replays:twice",
                "a second attempt at the same seed, remembering the first, does better",
            ),
            "many_noises": (
                "replays:many_noises",
                "the same seed under eight noise seeds averages the noise away for free",
            ),
        },
        against="greedy",
    ),
)

POLICY_ATTACKS: Mapping[str, PolicyAttack] = MappingProxyType({attack.name: attack for attack in _POLICIES})


def _probes(module: str, rows: Mapping[str, str], *, needs_server: bool = False) -> list[Probe]:
    return [
        Probe(name=name, claim=claim, entry=f"redteam.{module}:{name}", needs_server=needs_server)
        for name, claim in rows.items()
    ]


_PROBES = (
    *_probes(
        "drawings",
        {
            "atom_order": "another atom order or Kekule form is another compound",
            "tautomers": "another tautomer is another compound, or a much cheaper one",
            "charges": "a protonated or deprotonated form is another compound",
            "isotopes": "an isotope label is another compound",
            "salts": "a salt, solvate or second copy is another compound",
            "atom_maps": "atom map numbers make another compound",
            "cxsmiles": "extensions, names and invisible characters make another compound",
            "claims": "another drawing of a compound lies outside the claim on the lead",
            "duplicates": "one compound named three times in a call is read three times",
        },
    ),
    *_probes(
        "numbers",
        {
            "replicates": "negative, zero or huge counts are carried out, or refund money",
            "predictions": "NaN, infinite or crossed intervals are scored",
            "huge_interval_is_worth_nothing": "an absurdly wide or narrow interval beats an honest one",
            "overdraft": "a call can cost more than is left",
            "after_the_end": "a finished programme can be played on",
            "cycling": "going round in circles earns reward",
            "splitting": "splitting or merging calls changes the price or the wells",
            "asking_again": "a fresh session of the same seed has fresh noise to average",
            "dense_and_sparse": "dense and sparse reward rank policies differently",
            "reset_arguments": "impossible reset arguments open something useful",
        },
    ),
    *_probes(
        "channels",
        {
            "messages": "some message before the end depends on a value that was not measured",
            "what_free_actions_ask": "quotes, suggestions and refusals look at hidden values",
            "latency": "free and refused calls take longer for better compounds",
            "refusal_order": "the reason for a refusal differs between worlds",
            "state_size": "the size of a message tells something",
            "injected_text": "prompt text in structures and names begins a line of what a model reads",
            "hostile_structures": "over-long or dense SMILES keep the server busy",
        },
    ),
    *_probes(
        "sessions",
        {
            "resets": "resetting again, or with another noise seed, reads the given compounds anew",
            "secret_guessing": "the secret of a private server can be guessed",
            "seed_arithmetic": "a world tells something of the next seed's, or of its own at other settings",
        },
    ),
    *_probes(
        "sessions",
        {
            "two_sockets": "two sockets on one session double or corrupt its steps",
            "two_callers": "many callers at once double or lose steps of a session",
            "second_programme": "a tool opens the programme again, so that one rollout is paid for several",
            "other_sessions": "somebody else's session can be found or read",
            "log_and_metrics": "logs or pages hold the secret, a hidden value or what an agent sent",
            "killed_server": "killing the server redraws the noise",
        },
        needs_server=True,
    ),
)

PROBES: Mapping[str, Probe] = MappingProxyType({probe.name: probe for probe in _PROBES})
