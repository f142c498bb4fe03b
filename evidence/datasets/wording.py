"""An action as the line of text that stands for it: the inverse of ``molforge.command.parse_command``."""

from __future__ import annotations

from molforge.actions import Action, ActionType, Prediction


def as_command(action: Action) -> str:
    """Return one line that is read back as this action; numbers are rounded to 0.01."""
    if action.command is not None:
        return action.command
    match action.action_type:
        case ActionType.SUGGEST:
            return " ".join(filter(None, ("suggest", action.compound, action.transformation)))
        case ActionType.DESIGN:
            return f"design {'; '.join(action.smiles)}"
        case ActionType.ASSAY:
            times = f" x{action.replicates}" if action.replicates > 1 else ""
            what = "; ".join((*action.compounds, *action.smiles))
            return f"assay {what}: {', '.join(name + times for name in action.assays)}"
        case ActionType.NOMINATE:
            told = (f"{name}={_told(p)}" for name, p in action.predicted.items())
            return " ".join(("nominate", action.compound or "", *told))
        case ActionType.STOP:
            return f"stop {action.reason or ''}".strip()
        case None:
            return ""


def _told(p: Prediction) -> str:
    return f"{p.value:.2f}[{p.low:.2f},{p.high:.2f}]"
