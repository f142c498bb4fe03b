"""Play one short programme with the typed client: ``python examples/play_async.py [URL]``."""

import asyncio
import sys

from molforge.client import MolforgeAction, MolforgeEnv


async def main(url: str) -> None:
    """Ask for ideas, make and measure four of them, nominate the most potent."""
    async with MolforgeEnv(base_url=url) as env:
        result = await env.reset(task_id="potency", seed=7)
        print(result.observation.text)
        result = await env.step(MolforgeAction(action_type="suggest", compound="M1"))
        ideas = [suggestion.smiles for suggestion in result.observation.suggestions[:4]]
        result = await env.step(MolforgeAction(action_type="assay", smiles=ideas, assays=["potency"]))
        print(result.observation.text)
        best = max(result.observation.readings, key=lambda reading: reading.value)
        result = await env.step(MolforgeAction(action_type="nominate", compound=best.compound))
        print(f"score {result.observation.score:.3f} of {best.compound}: {result.observation.score_parts}")


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000"))
