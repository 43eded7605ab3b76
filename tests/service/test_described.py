"""The text under a field reaches the JSON schema, and costs nothing before somebody asks for that."""

from pydantic import BaseModel, Field

from service import described
from service.described import Described, descriptions


class Beside(BaseModel):
    own: int = 0
    """Of a parent that does not read its texts."""


class Base(Described):
    first: int
    """Of the parent."""
    again: int = 0
    """Of the parent, too."""


class Child(Base, Beside):
    again: int = 1
    """Of the child."""
    long: str = ""
    """Over two
    lines."""
    silent: float = 0.0
    given: Base | None = Field(None, description="Said in the field.")
    """Not looked at where the field says something."""

    @property
    def no_field(self) -> int:
        """Of a property."""
        return 0


def test_the_text_under_a_field_describes_it_also_in_children() -> None:
    assert descriptions(Base) == {"first": "Of the parent.", "again": "Of the parent, too."}
    assert descriptions(Child) == {
        "first": "Of the parent.",
        "again": "Of the child.",
        "long": "Over two\nlines.",
        "given": "Not looked at where the field says something.",
    }


def test_the_schema_has_the_descriptions_of_a_model_and_of_those_inside() -> None:
    schema = Child.model_json_schema()
    found = {name: entry.get("description") for name, entry in schema["properties"].items()}
    assert found == {
        "own": None,
        "first": "Of the parent.",
        "again": "Of the child.",
        "long": "Over two\nlines.",
        "silent": None,
        "given": "Said in the field.",
    }
    assert schema["$defs"]["Base"]["properties"]["again"]["description"] == "Of the parent, too."


def test_the_schema_is_what_pydantic_makes_of_the_same_texts() -> None:
    class Own(BaseModel, use_attribute_docstrings=True):
        """Documented."""

        value: int | None = Field(None, ge=1, examples=[3])
        """How much."""

    assert Documented.model_json_schema() == Own.model_json_schema() | {"title": "Documented"}


class Documented(Described):
    """Documented."""

    value: int | None = Field(None, ge=1, examples=[3])
    """How much."""


def test_making_a_class_reads_no_source() -> None:
    described._texts.cache_clear()
    type("Made", (Base,), {"__module__": __name__})
    assert described._texts.cache_info().misses == 0
