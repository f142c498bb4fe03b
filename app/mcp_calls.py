"""tools/call in both dialects: which session it plays in, and how its outcome and errors look."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from app.errors import CapacityReached, FactoryFailed, ServerError, SessionNotFound, report
from app.frames import CallToolAction, ListToolsAction
from app.mcp_tools import BadToolArguments, Outcome, UnknownTool, call, check, listed
from app.rpc import INTERNAL_ERROR, INVALID_PARAMS, SERVER_ERROR, RpcError
from app.service import Service
from app.sessions import Origin, Session
from molforge.errors import AgentError, CallerError, EnvironmentFault, MolforgeError


def refusal(error: ServerError) -> RpcError:
    """Return the answer of a server that cannot open a session."""
    match error:
        case CapacityReached():
            return RpcError(SERVER_ERROR, str(error), error.numbers)
        case FactoryFailed():
            return RpcError(SERVER_ERROR, str(error), {"factory_name": error.factory})
    return RpcError(SERVER_ERROR, str(error), {"code": error.code})


def named_session(params: dict[str, Any], service: Service) -> Session | None:
    """Return the session that the parameters name, with a place or without, None if they name none."""
    session_id = params.get("session_id")
    if session_id is None:
        return None
    try:
        return service.sessions.known(str(session_id))
    except SessionNotFound as error:
        raise RpcError(INVALID_PARAMS, str(error)) from None


async def call_in_protocol(
    params: dict[str, Any], service: Service, seats: AbstractAsyncContextManager[Session]
) -> dict[str, Any]:
    """Return the result of the Model Context Protocol: what a model did wrong is a result it can read."""
    name = _tool_name(params)
    try:
        tool, arguments = check(name, params.get("arguments"))
        async with seats as session:
            outcome = await call(tool, arguments, service=service, session=session)
    except UnknownTool as error:
        raise RpcError(INVALID_PARAMS, str(error)) from None
    except (CapacityReached, FactoryFailed) as error:
        raise refusal(error) from None
    except (AgentError, CallerError) as error:
        return {"content": [{"type": "text", "text": str(error)}], "isError": True}
    except Exception as error:
        raise _internal(error) from error
    return {
        "content": [{"type": "text", "text": _text(outcome)}],
        "structuredContent": outcome.as_value(),
        "isError": outcome.is_error,
    }


async def call_for_openenv(params: dict[str, Any], service: Service, own: Session | None) -> dict[str, Any]:
    """Return the result as OpenEnv's clients read it; whatever goes wrong is an error.

    Calls of a session that is named take turns.
    """
    named = named_session(params, service)
    name = _tool_name(params)
    passing: Session | None = None
    try:
        tool, arguments = check(name, params.get("arguments"))
        if named is not None:
            async with service.turns.of(named.id):
                outcome = await call(tool, arguments, service=service, session=service.find(named.id))
        else:
            session = own
            if session is None:
                session = passing = await service.open(Origin.REST)
            outcome = await call(tool, arguments, service=service, session=session)
    except BadToolArguments as error:
        raise RpcError(INVALID_PARAMS, str(error)) from None
    except (AgentError, CallerError) as error:
        raise RpcError(INTERNAL_ERROR, str(error), {"code": error.code}) from None
    except (CapacityReached, FactoryFailed) as error:
        raise refusal(error) from None
    except Exception as error:
        raise _internal(error) from error
    finally:
        if passing is not None:
            service.close(passing)
    return _for_openenv(outcome)


def _for_openenv(outcome: Outcome) -> dict[str, Any]:
    value = {"text": outcome.text, **outcome.as_value()}
    return {
        "content": [{"type": "text", "text": _text(outcome)}],
        "structured_content": value,
        "data": value,
        "is_error": outcome.is_error,
        "meta": None,
    }


async def answer_tool_frame(
    action: ListToolsAction | CallToolAction, service: Service, session: Session
) -> dict[str, Any]:
    """Return the reply to a step in the shape of a tool call, as the tool client of OpenEnv 0.3 reads it."""
    if isinstance(action, ListToolsAction):
        tools = [
            {"name": tool["name"], "description": tool["description"], "input_schema": tool["inputSchema"]}
            for tool in listed()
        ]
        return {"observation": {"tools": tools, "metadata": {}}, "reward": None, "done": False}
    observation: dict[str, Any] = {
        "tool_name": action.tool_name,
        "result": None,
        "error": None,
        "metadata": {},
    }
    try:
        tool, arguments = check(action.tool_name, action.arguments)
        outcome = await call(tool, arguments, service=service, session=session)
    except UnknownTool as error:
        observation["error"] = {"error_type": "tool_not_found", "message": str(error)}
    except BadToolArguments as error:
        observation["error"] = {"error_type": "invalid_args", "message": str(error)}
    except (AgentError, CallerError) as error:
        observation["error"] = {"error_type": "execution_error", "message": str(error)}
    else:
        observation["result"] = _for_openenv(outcome)
        return {"observation": observation, "reward": outcome.reward, "done": outcome.done}
    return {"observation": observation, "reward": None, "done": False}


def _tool_name(params: dict[str, Any]) -> str:
    name = params.get("name")
    if not isinstance(name, str):
        raise RpcError(INVALID_PARAMS, "Missing 'name' in params")
    return name


def _text(outcome: Outcome) -> str:
    """Return what the model reads: the observation, and what the call paid."""
    if outcome.reward is None:
        return outcome.text
    return f"{outcome.text}\nReward of this action: {outcome.reward:+.3f}"


def _internal(error: Exception) -> RpcError:
    report(error, where="/mcp")
    if isinstance(error, MolforgeError) and not isinstance(error, EnvironmentFault):
        return RpcError(INTERNAL_ERROR, str(error), {"code": error.code})
    return RpcError(INTERNAL_ERROR, "internal error; it has been logged, and this session can go on")
