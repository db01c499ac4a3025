"""What a field of a record holds, as its annotation says."""

import types
from typing import Annotated, Any, Union, get_args, get_origin

from replica import Record


def kind_of(record: type[Record], name: str) -> tuple[Any, bool]:  # an annotation may be any object
    """The type of a field without None and without its rule, and whether it may be None."""
    annotation = record.model_fields[name]
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    is_optional = get_origin(annotation) in (Union, types.UnionType)
    if is_optional:
        (annotation,) = (one for one in get_args(annotation) if one is not type(None))
    return get_origin(annotation) or annotation, is_optional
