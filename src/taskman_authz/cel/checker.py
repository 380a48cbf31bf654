"""Tree to checked tree: the type of every node, and what every name and call stands for.

Laws:
- nothing here raises: what is wrong becomes an issue, all of them in one go. The type of a wrong
  node is ERROR, which goes with everything, so that one mistake is reported once;
- the tree is not changed. A select that turns out to be a name with dots (`a.b` where `a.b` is
  declared) has a reference, and then its operand has no type: it is not evaluated;
- a level of the tree costs one Python frame.

What a call without type parameters comes to is remembered by its function (`decls.Function`), so
that the rules are only gone through for types that never met before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from .._fast.activation import Activation
from .._fast.tree import (
    Call,
    Comprehension,
    Entry,
    Expr,
    Ident,
    ListExpr,
    Literal,
    MapExpr,
    Select,
    StructExpr,
)
from .._fast.values import UInt
from ..issues import Issue, Issues
from ..limits import DEFAULT, Limits
from . import check_messages as messages
from .constants import ConstantCall, ConstantCheck
from .decls import (
    GLOBAL,
    MEMBER,
    NAMESPACED,
    Declarations,
    Declared,
    Function,
    Reference,
    Resolution,
)
from .inference import Inference, Members, nearest
from .macros import BLOCK, STANDARD_MACROS, index_name
from .source import Source
from .types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    ERROR,
    INT,
    NULL,
    STRING,
    UINT,
    WELL_KNOWN,
    Kind,
    Type,
    is_dyn,
    is_optional,
    list_of,
    map_of,
    may_be_bool,
    optional_of,
)
from .unification import assignable

MAP = Kind.MAP  # looked up once: a member of an Enum takes long
NO_CHECKS: Mapping[str, ConstantCheck] = {}


class Checked(msgspec.Struct, frozen=True):
    """A tree with the `type` of its result, and `types` and `references` by the ids of its nodes.

    With `issues`, what is wrong; the types are then as good as they could be found.
    """

    tree: Expr
    type: Type
    types: dict[int, Type]
    references: dict[int, Reference]
    issues: Issues


def check(
    tree: Expr,
    source: Source,
    declarations: Declarations,
    limits: Limits = DEFAULT,
    constants: Mapping[str, ConstantCheck] = NO_CHECKS,
) -> Checked:
    """Check `tree`, which was parsed from `source`; of its constants, what `constants` says."""
    checker = _Checker(source, declarations, limits, constants)
    try:
        result = CHECK[type(tree)](checker, tree)
    except RecursionError:  # only a tree that no parser of ours has bounded
        result = checker.wrong(tree.position, messages.too_deep())
    if checker.inference.parameters or declarations.generic:
        ground = checker.inference.ground
        for id, found in checker.types.items():
            if found.generic:
                checker.types[id] = ground(found)
        result = ground(result)
    issues = Issues.of(checker.issues) if checker.issues else NO_ISSUES
    return Checked(tree, result, checker.types, checker.references, issues)


def check_condition(
    tree: Expr,
    source: Source,
    declarations: Declarations,
    limits: Limits = DEFAULT,
    constants: Mapping[str, ConstantCheck] = NO_CHECKS,
) -> Checked:
    """As `check`; a result that can never be a bool is an issue."""
    checked = check(tree, source, declarations, limits, constants)
    if checked.issues or may_be_bool(checked.type):
        return checked
    said = messages.not_a_condition(checked.type)
    start = len(source.text) - len(source.text.lstrip())  # it is about the whole
    issue = Issue(source.place(start), *said)
    return msgspec.structs.replace(checked, issues=Issues((issue,)))


NO_ISSUES = Issues()

LITERALS: dict[type, Type] = {
    type(None): NULL,
    bool: BOOL,
    int: INT,
    UInt: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
}


class _Checker:
    """One walk over one tree. A method takes a node and gives its type."""

    __slots__ = (
        "constants",
        "patterns",
        "declarations",
        "inference",
        "issues",
        "limits",
        "locals",
        "references",
        "source",
        "types",
    )

    def __init__(
        self,
        source: Source,
        declarations: Declarations,
        limits: Limits,
        constants: Mapping[str, ConstantCheck],
    ) -> None:
        self.source = source
        self.constants = constants
        self.patterns: Activation | None = None  # what pays for planning constant patterns
        self.declarations = declarations
        self.limits = limits
        self.types: dict[int, Type] = {}
        self.references: dict[int, Reference] = {}
        self.issues: list[Issue] = []
        self.locals: dict[str, Declared] = {}  # variables of the comprehensions around
        self.inference = Inference()

    def wrong(self, position: int, said: messages.Said) -> Type:
        """Report, and give the type of what is wrong."""
        if len(self.issues) < self.limits.issues:
            self.issues.append(Issue(self.source.place(position), *said))
        return ERROR

    # -- names ---------------------------------------------------------------------------------

    def literal(self, node: Literal) -> Type:
        self.types[node.id] = found = LITERALS.get(type(node.value), DYN)
        return found

    def ident(self, node: Ident) -> Type:
        name = node.name
        found = self.locals.get(name) or self.declarations.find_ident(name)
        if found is None:
            return self.undeclared(node, name)
        return self.refer(node, name, found)

    def refer(self, node: Expr, name: str, found: Declared) -> Type:
        reference = found.reference
        if name.startswith(".") and name[1:].partition(".")[0] in self.locals:
            reference = msgspec.structs.replace(reference, name=f".{reference.name}")
        self.references[node.id] = reference
        self.types[node.id] = found.type
        return found.type

    def undeclared(self, node: Ident, written: str) -> Type:
        declarations = self.declarations
        names = [*self.locals, *declarations.variables]
        said = messages.undeclared_reference(node.name, written, names, declarations.container.name)
        self.types[node.id] = ERROR
        return self.wrong(node.position, said)

    def select(self, node: Select) -> Type:
        operand = node.operand
        qualified = self.declarations.qualified
        if type(operand) is Ident and qualified is not None and operand.name not in qualified:
            found = self.ident(operand)  # a member of a variable, which most selects are
            if found is not DYN:
                found = self.field(node, node.field, found)
            if node.test_only:
                found = BOOL
            self.types[node.id] = found
            return found
        chain = [node]
        while type(operand) is Select:
            chain.append(operand)
            operand = operand.operand
        if type(operand) is Ident and operand.name not in self.locals:
            if qualified is None or operand.name in qualified:
                found = self.qualified(chain, operand)
            else:
                found = self.ident(operand)
        else:
            found = CHECK[type(operand)](self, operand)
        types = self.types
        while chain:
            step = chain.pop()
            if found is not DYN:
                found = self.field(step, step.field, found)
            if step.test_only:
                found = BOOL
            types[step.id] = found
        return found

    def qualified(self, chain: list[Select], root: Ident) -> Type:
        """The type of the longest part of `root.a.b…` that is declared as a name; what is left of
        the chain are fields of it. A presence test ends a name."""
        names = [root.name]
        for step in reversed(chain):
            if step.test_only:
                break
            names.append(f"{names[-1]}.{step.field}")
        for count in range(len(names) - 1, 0, -1):
            found = self.declarations.find_ident(names[count])
            if found is not None:
                step = chain[-count]
                del chain[-count:]
                return self.refer(step, names[count], found)
        found = self.declarations.find_ident(root.name)
        if found is None:
            return self.undeclared(root, names[-1])
        return self.refer(root, root.name, found)

    def field(self, node: Expr, field: str, operand: Type) -> Type:
        """The type of a field; of an optional, an optional of it."""
        if operand.kind is MAP and not operand.generic:
            return operand.parameters[1]
        operand = self.inference.resolve(operand)
        if is_optional(operand):
            return optional_of(self.field_of(node, field, operand.parameters[0]))
        return self.field_of(node, field, operand)

    def field_of(self, node: Expr, field: str, operand: Type) -> Type:
        kind = operand.kind
        if kind is Kind.MAP:
            return operand.parameters[1]
        if kind is Kind.STRUCT:
            return self.struct_field(node.position, field, operand)
        if kind is Kind.PARAM:
            # It may be anything with fields; nothing more is to be concluded from it.
            self.inference.assignable(DYN, operand)
        elif not is_dyn(operand) and operand is not ERROR:
            self.wrong(node.position, messages.no_fields(field, self.inference.ground(operand)))
        return DYN

    def struct_field(self, position: int, field: str, struct: Type) -> Type:
        found = self.declarations.find_field(struct, field)
        if found is not None:
            return found
        names = self.declarations.field_names(struct)
        return self.wrong(position, messages.undefined_field(field, struct, names))

    # -- calls ---------------------------------------------------------------------------------

    def call(self, node: Call) -> Type:
        special = SPECIAL.get(node.function)
        if special is not None:
            return special(self, node)
        given: list[Type] = []
        style = GLOBAL
        function: Function | None = None
        target = node.target
        if target is not None:
            style = MEMBER
            if self.declarations.namespaces:
                function = self.namespaced(target, node.function)
            if function is not None:
                style = NAMESPACED
            else:
                given.append(CHECK[type(target)](self, target))
        for argument in node.args:
            given.append(CHECK[type(argument)](self, argument))
        if function is None:
            function = self.declarations.find_function(node.function)
            if function is None:
                return self.undeclared_function(node)
        key = tuple(given)
        resolution = function.resolutions[style].get(key)
        if resolution is None:
            resolution = self.resolve(node, function, style, key)
            if resolution is None:
                self.types[node.id] = ERROR
                return ERROR
        self.types[node.id] = resolution.type
        self.references[node.id] = resolution.reference
        if self.constants:
            self.check_constants(node, resolution.reference, style)
        return resolution.type

    def check_constants(self, node: Call, reference: Reference, style: int) -> None:
        """Report what a call with constants is certain to fail at."""
        flaws = self.constants.get(reference.overloads[0])
        if flaws is None or len(reference.overloads) > 1:
            return
        parts = node.args
        if style == MEMBER and node.target is not None:
            parts = (node.target, *parts)
        if self.patterns is None:
            self.patterns = Activation(0, 0, 0, self.limits.regex_steps, "regex_steps")
        for flaw in flaws(ConstantCall(parts, self.types, self.patterns), self.limits):
            self.wrong(flaw.position(self.source.text), flaw.said)

    def namespaced(self, target: Expr, function: str) -> Function | None:
        """The function `a.b.function`, where `target` is the name `a.b` and that is declared."""
        parts = [function]
        while type(target) is Select and not target.test_only:
            parts.append(target.field)
            target = target.operand
        if type(target) is not Ident or target.name not in self.declarations.namespaces:
            return None
        parts.append(target.name)
        return self.declarations.find_function(".".join(reversed(parts)))

    def undeclared_function(self, node: Call) -> Type:
        declarations = self.declarations
        names = [*declarations.functions, *STANDARD_MACROS.names]
        said = messages.undeclared_function(node.function, names, declarations.container.name)
        self.types[node.id] = ERROR
        return self.wrong(node.position, said)

    def resolve(
        self, node: Call, function: Function, style: int, given: tuple[Type, ...]
    ) -> Resolution | None:
        """Go through the overloads. All that match are kept: where an argument is dyn, which one
        is meant shows when it is evaluated. Their results differ: the result is dyn."""
        generic = any(argument.generic for argument in given)
        matching: list[str] = []
        result: Type | None = None
        for overload in function.overloads_of(style == MEMBER, len(given)):
            found = self.inference.match(overload, given, generic)
            if found is not None:
                matching.append(overload.id)
                result = found if result is None or result is found else DYN
        if result is None:
            self.no_overload(node, function, style == MEMBER, given)
            return None
        reference = Reference(function.name, tuple(matching), None, style == NAMESPACED)
        resolution = Resolution(result, reference)
        if not generic and not result.generic:
            function.remember(style, given, resolution)
        return resolution

    def no_overload(
        self, node: Call, function: Function, member: bool, given: tuple[Type, ...]
    ) -> None:
        shown = [self.inference.ground(argument) for argument in given]
        if function.name in ("_==_", "_!=_") and len(shown) == 2:
            said = messages.different_sides(function.name, *shown)
        elif function.name == "_?_:_" and len(shown) == 3:
            if not assignable(shown[0], BOOL):
                self.wrong(node.args[0].position, messages.not_bool(shown[0]))
                return
            said = messages.different_branches(*shown[1:])
        else:
            near = nearest(function.overloads, shown, member)
            others = len(function.overloads) - len(near)
            said = messages.no_matching_overload(function.name, shown, member, near, others)
        self.wrong(node.position, said)

    def logical(self, node: Call) -> Type:
        """`&&` and `||`, of any number of operands."""
        result = BOOL
        for argument in node.args:
            found = CHECK[type(argument)](self, argument)
            if found is not BOOL and not self.inference.assignable(found, BOOL):
                said = messages.not_bool(self.inference.ground(found))
                result = self.wrong(argument.position, said)
        self.types[node.id] = result
        self.references[node.id] = LOGICAL[node.function]
        return result

    def optional_select(self, node: Call) -> Type:
        """`operand.?field`, which the parser gives as a call with the field's name."""
        operand, field = node.args if len(node.args) == 2 else (node, node)
        if type(field) is not Literal or type(field.value) is not str:
            self.types[node.id] = ERROR
            return self.wrong(node.position, messages.not_a_field_name())
        found = self.inference.resolve(CHECK[type(operand)](self, operand))
        inside = found.parameters[0] if is_optional(found) else found
        result = optional_of(self.field_of(node, field.value, inside))
        self.types[node.id] = result
        self.references[node.id] = OPTIONAL_SELECT
        return result

    def block(self, node: Call) -> Type:
        """`cel.@block([a, b, …], result)`: each part has a name, and is dyn under it."""
        parts = node.args[0] if len(node.args) == 2 else node
        if type(parts) is not ListExpr:
            self.types[node.id] = ERROR
            return self.wrong(node.position, messages.not_a_block())
        around = self.locals
        members = Members(self.inference)
        for number, part in enumerate(parts.elements):
            members.add(CHECK[type(part)](self, part))
            name = index_name(number)
            self.locals = {**self.locals, name: declared(name, DYN)}
        result = CHECK[type(node.args[1])](self, node.args[1])
        self.locals = around
        self.types[parts.id] = list_of(members.joined())
        self.types[node.id] = result
        self.references[node.id] = BLOCK_REFERENCE
        return result

    # -- literals of lists, maps and messages ----------------------------------------------------

    def list(self, node: ListExpr) -> Type:
        members = Members(self.inference)
        for index, element in enumerate(node.elements):
            found = CHECK[type(element)](self, element)
            if index in node.optionals:
                found = self.inside_optional(element, found)
            members.add(found)
        self.types[node.id] = result = list_of(members.joined())
        return result

    def map(self, node: MapExpr) -> Type:
        keys, values = Members(self.inference), Members(self.inference)
        for entry in node.entries:
            key = entry.key
            assert isinstance(key, Expr)
            keys.add(CHECK[type(key)](self, key))
            values.add(self.entry_value(entry))
        self.types[node.id] = result = map_of(keys.joined(), values.joined())
        return result

    def entry_value(self, entry: Entry) -> Type:
        found = CHECK[type(entry.value)](self, entry.value)
        return self.inside_optional(entry.value, found) if entry.optional else found

    def inside_optional(self, node: Expr, type: Type) -> Type:
        """What an element written with `?` is, if it is there."""
        if is_optional(type):
            return type.parameters[0]
        if not is_dyn(type) and type is not ERROR:
            self.wrong(node.position, messages.not_optional(self.inference.ground(type)))
        return type

    def struct(self, node: StructExpr) -> Type:
        named = self.declarations.find_type(node.type_name)
        result = self.struct_type(node, named)
        self.types[node.id] = result
        name = named[0] if named else node.type_name
        if named is not None:
            self.references[node.id] = Reference(name)
        written: set[str] = set()
        for entry in node.entries:
            found = self.entry_value(entry)
            if result is ERROR:
                continue
            field = str(entry.key)
            if field in written:
                self.wrong(entry.position, messages.field_twice(field))
            written.add(field)
            wanted = self.declarations.provider.find_field(name, field)
            if wanted is None:
                names = self.declarations.provider.field_names(name)
                self.wrong(entry.position, messages.undefined_field(field, result, names))
            elif not self.inference.assignable(wanted, found):
                shown = self.inference.ground(found)
                self.wrong(entry.position, messages.field_mismatch(field, wanted, shown))
        return result

    def struct_type(self, node: StructExpr, named: tuple[str, Type] | None) -> Type:
        declarations = self.declarations
        if named is not None:
            name, found = named
            if found.kind is Kind.STRUCT or name in WELL_KNOWN:
                return found
            return self.wrong(node.position, messages.not_a_message(found))
        variable = declarations.find_ident(node.type_name)
        if variable is not None:
            return self.wrong(node.position, messages.not_a_type(node.type_name, variable.type))
        names = [*declarations.variables, *declarations.type_names()]
        container = declarations.container.name
        said = messages.undeclared_reference(node.type_name, node.type_name, names, container)
        return self.wrong(node.position, said)

    # -- macros ----------------------------------------------------------------------------------

    def comprehension(self, node: Comprehension) -> Type:
        around = self.locals
        range_type = CHECK[type(node.iter_range)](self, node.iter_range)
        accumulated = CHECK[type(node.accu_init)](self, node.accu_init)
        outer = {**around, node.accu_var: declared(node.accu_var, accumulated)}
        first, second = self.iterated(node, self.inference.resolve(range_type))
        self.locals = {**outer, node.iter_var: declared(node.iter_var, first)}
        if node.iter_var2:
            if node.iter_var2 == node.iter_var:
                self.wrong(node.position, messages.variable_twice(node.iter_var))
            self.locals[node.iter_var2] = declared(node.iter_var2, second)
        self.require(node.loop_condition, BOOL)
        self.require(node.loop_step, accumulated)
        self.locals = outer
        result = CHECK[type(node.result)](self, node.result)
        self.locals = around
        self.types[node.id] = result = self.inference.resolve(result)
        return result

    def iterated(self, node: Comprehension, range_type: Type) -> tuple[Type, Type]:
        """The types of the one or two variables that go over a range."""
        kind = range_type.kind
        if kind is Kind.LIST:
            element = range_type.parameters[0]
            return (INT, element) if node.iter_var2 else (element, element)
        if kind is Kind.MAP:
            key, value = range_type.parameters
            return key, value
        if kind is Kind.PARAM:
            self.inference.assignable(DYN, range_type)
        elif not is_dyn(range_type) and range_type is not ERROR:
            said = messages.not_a_range(self.inference.ground(range_type))
            self.wrong(node.iter_range.position, said)
            return ERROR, ERROR
        return DYN, DYN

    def require(self, node: Expr, wanted: Type) -> None:
        found = CHECK[type(node)](self, node)
        if found is not wanted and not self.inference.assignable(wanted, found):
            ground = self.inference.ground
            self.wrong(node.position, messages.type_mismatch(ground(wanted), ground(found)))


def declared(name: str, type: Type) -> Declared:
    """A variable of a comprehension."""
    return Declared(type, Reference(name))


OPTIONAL_SELECT = Reference("_?._", ("select_optional_field",))
BLOCK_REFERENCE = Reference(BLOCK, ("cel_block_list",))
LOGICAL = {
    "_&&_": Reference("_&&_", ("logical_and",)),
    "_||_": Reference("_||_", ("logical_or",)),
}
SPECIAL: dict[str, Callable[[_Checker, Call], Type]] = {
    "_&&_": _Checker.logical,
    "_||_": _Checker.logical,
    "_?._": _Checker.optional_select,
    BLOCK: _Checker.block,
}
CHECK: dict[type[Expr], Callable[[_Checker, Any], Type]] = {
    Literal: _Checker.literal,
    Ident: _Checker.ident,
    Select: _Checker.select,
    Call: _Checker.call,
    ListExpr: _Checker.list,
    MapExpr: _Checker.map,
    StructExpr: _Checker.struct,
    Comprehension: _Checker.comprehension,
}
