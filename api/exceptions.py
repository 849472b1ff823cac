"""Exceptions as answers: the one map from what can be raised to problem documents."""

from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.params import PathParameter

from api.head import head_problem
from api.parameters import declared, expected
from api.problems import (
    KINDS,
    MEDIA_TYPE,
    RETRY_AFTER_S,
    Document,
    ErrorDetail,
    Problem,
    bad_pointer,
)
from api.stamp import request_id
from domain import errors


def document(request_id: str, error: Exception) -> Document:
    """Return an exception as a problem document."""
    problem = problem_of(error)
    kind = KINDS[problem.code]
    return Document(
        type=f"/problems/{problem.code}",
        title=kind.title,
        status=kind.status,
        detail=problem.detail,
        code=problem.code,
        request_id=request_id,
        errors=problem.errors,
    )


def to_response(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Return an exception as the answer to its request; Litestar's exception handler for all."""
    raised = error
    if isinstance(error, NotFoundException | MethodNotAllowedException):
        error = head_problem(request.scope) or error
    if isinstance(error, ValidationException):
        error = _bad_parameters(request, error)
    problem = problem_of(error)
    answer = document(request_id(request.scope), problem)
    if answer.status == 500:
        structlog.get_logger().error("bug", request_id=answer.request_id, exc_info=error)
    # A handler that still names the exception would be kept by its traceback, and with the handler
    # a connection whose body is not read to the end, until the next collection of cycles.
    raised.__traceback__ = None
    return Response(
        msgspec.json.encode(msgspec.structs.asdict(answer) | problem.members),
        status_code=answer.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


def _bad_parameters(request: Request[Any, Any, Any], error: ValidationException) -> Problem:
    """Return the problem of parameters out of the bounds that a signature declares.

    A path that can name nothing is not found, but where a PUT would make what it names.
    """
    parameters = declared(request.route_handler.fn)
    extra: Any = error.extra
    misfits = [parameters[fault["key"]] for fault in extra]
    faults = [
        ErrorDetail(detail=expected(misfit), parameter=misfit.name)
        for misfit in misfits
        if request.method == "PUT" or not isinstance(misfit.bounds, PathParameter)
    ]
    if not faults:
        return Problem("not_found", "There is no such path")
    names = " and ".join(f"`{fault.parameter}`" for fault in faults)
    verb = "is" if len(faults) == 1 else "are"
    return Problem("bad_parameter", f"{names} {verb} not valid", errors=faults)


def problem_of(error: Exception) -> Problem:
    """Return the problem of an exception; `internal` for a bug."""
    match error:
        case Problem():
            return error
        case errors.Refusal():
            return _of_refusal(error)
        case NotFoundException():
            return Problem("not_found", "There is no such path")
        case MethodNotAllowedException(headers={"allow": methods}):
            return Problem(
                "method_not_allowed",
                "The path does not take this method",
                headers={"Allow": ", ".join(sorted(methods.split(", ")))},
            )
        case HTTPException(status_code=400):
            return Problem("bad_request", "The request cannot be read")
        case _:
            return Problem("internal", "The request could not be carried out")


def _of_refusal(refusal: errors.Refusal) -> Problem:  # noqa: PLR0911 - a kind each
    match refusal:
        case errors.NotFound():
            return Problem("not_found", f"There is no {refusal.what} `{refusal.name}`")
        case errors.UnknownRules():
            return bad_pointer(
                "unknown_rules", "/rules", f"There are no rules named `{refusal.name}`"
            )
        case errors.BuiltInRules():
            return Problem("built_in", f"The rules `{refusal.name}` are built in")
        case errors.TooManyStored():
            return Problem("too_many", f"There are {refusal.count_max} {refusal.what} already")
        case errors.ShopImmutable():
            fields = " and ".join(f"`{field}`" for field in refusal.fields)
            return Problem(
                "immutable",
                f"The shop `{refusal.shop_id}` has events, so its {fields} cannot change",
                errors=[
                    ErrorDetail(detail="Expected the present value", pointer=f"/{field}")
                    for field in refusal.fields
                ],
            )
        case errors.Unavailable():
            return Problem(
                "unavailable",
                "The database cannot serve this request now",
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )
        case _:
            return Problem("internal", "The request could not be carried out")
