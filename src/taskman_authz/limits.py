"""Every limit of the house, each with its reason. Nothing else in the package bounds anything.

A limit that is passed gives an error that names it. They are plain numbers: an embedder who needs
another value passes a changed `Limits`.
"""

from __future__ import annotations

import msgspec

from .errors import ArgumentError


class Limits(msgspec.Struct, frozen=True):
    """Bounds on what people write and what programs pass. All sizes count from zero up."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if type(value) is not int:
                raise ArgumentError.of(name, "a whole number", value)
            if value < 0:
                raise ArgumentError(name, "a whole number from 0", f"{value}")

    # -- expressions -------------------------------------------------------------------------
    # A policy condition is some hundred characters; 100 kB leaves room for generated ones while
    # a megabyte of `||` is refused before a token of it is read.
    expression_length: int = 100_000  # code points
    # Parser, checker, planner and evaluation recurse once a level (the plain twin in Python
    # frames, 4 a level at most, against CPython's default limit of 1,000).
    expression_depth: int = 200  # levels of the tree
    # What a macro may expand to: nested macros multiply.
    expression_nodes: int = 200_000
    # A tree that comes as bytes: some 20 a part, and the longest expression has half of these.
    tree_bytes: int = 4_194_304
    # A macro can double a type, as `{x: x}` does; what is larger holds dyn instead of parts.
    type_size: int = 100  # names in a type's notation
    # What names and calls came to is remembered, because policies ask the same; when full it is
    # forgotten.
    checker_memory: int = 10_000  # names, or types of arguments of one function
    # All issues are reported, but a broken generated text must not drown the reader.
    issues: int = 100
    # What is read again, by the grammar of record, to say what was expected: some 50 µs each. Of
    # what lies behind it only what was found is said.
    diagnosis_length: int = 10_000  # code points, for all issues of an expression

    # Loops within loops: each multiplies what the others cost, and no policy nests three.
    comprehension_depth: int = 24

    # -- evaluations -------------------------------------------------------------------------
    # A step is about what evaluating one node takes, 10 to 50 ns compiled, so these are some tenths
    # of a second (ten times as much on the plain twin). One loop within another over a thousand
    # elements each passes.
    evaluation_steps: int = 10_000_000  # of one expression
    # A decision stands between a user and their click, and others wait behind it. All conditions
    # share it, so that many do not take longer than one may.
    decision_steps: int = 1_000_000
    # Constants are folded when a program is compiled: what takes longer is left to the evaluation,
    # which has a budget.
    folding_steps: int = 20_000  # of one expression
    folded_size: int = 1_000  # code points, bytes or elements of what is not written, but made

    # -- values ------------------------------------------------------------------------------
    # Digits behind the point in `format`; a double has no more than some hundred that say anything.
    format_precision: int = 100
    # A pattern is compiled by RE2 in time linear in this.
    regex_length: int = 1_000  # code points
    # Repetitions and classes multiply what they are made into: some tenths of a second. Beyond
    # this, patterns are left to the evaluation, and refused where constants are checked.
    regex_steps: int = 10_000_000  # of planning all constant patterns of an expression
    # String and list concatenation could double a value at each step.
    value_size: int = 10_000_000  # code points, bytes or elements
    # What an explanation keeps of a loop: loops multiply, and nobody reads a thousand turns.
    explained_turns: int = 10  # the first, and the last
    # How deep values may nest where they are compared or given back is no choice: the C stack
    # bounds it, and `_fast.relations.VALUE_DEPTH` says where.

    # -- policies ----------------------------------------------------------------------------
    document_bytes: int = 64_000_000  # 10,000 policies are some 3 MB of YAML
    bundle_bytes: int = 256_000_000  # 100,000 policies are some 40 MB
    key_bytes: int = 65_536  # a PEM file of an Ed25519 key has some hundred
    certificate_bytes: int = 1_048_576  # all authorities that a browser trusts are some 250 kB
    # What a YAML text may hold, an alias counted as what it stands for: aliases multiply.
    document_values: int = 5_000_000  # a policy is some twenty
    document_depth: int = 16  # a document needs five levels
    policy_patterns: int = 1_000  # actions, resources or roles in one policy
    # The index holds a policy once for each action × resource × role.
    policy_targets: int = 10_000
    # A set that is changed again and again gathers attribute paths that no policy reads any more,
    # each a slot of every decision; past these it is compiled anew.
    changed_paths: int = 10_000
    identifier_length: int = 255  # the document's VARCHAR(255)

    # -- entities ----------------------------------------------------------------------------
    # Subjects and resources that stand in files are in memory, at some 1 kB each; who has more of
    # them has a database, and gives attributes in requests.
    entities: int = 200_000
    entity_bytes: int = 128_000_000  # of all files
    # A search decides about entity after entity: some microseconds each. What is left is the next
    # page's.
    search_page: int = 1_000  # entities in one answer
    search_decisions: int = 10_000  # for one answer

    # -- policies in a database --------------------------------------------------------------
    # Who waits for a database waits for a lock or a network: longer than any write takes.
    database_seconds: int = 30
    page_size: int = 1_000  # policies or roles of one answer: some 1 MB
    write_edits: int = 100_000  # in one write: a whole set is imported at once
    event_names: int = 1_000  # in one event, which is a message of a broker: some 40 kB

    # -- policy tests ------------------------------------------------------------------------
    # A matrix multiplies: three lists of fifty are 125,000 questions, and no one means that.
    test_cases: int = 100_000  # cases in one matrix

    # -- explanations ------------------------------------------------------------------------
    # Changes of a request that are tried to find one that flips its decision: some 10 µs each.
    changes_tried: int = 20_000
    # Allow policies that a change is made for: the condition of each is compiled anew, some 1 ms.
    changed_rules: int = 200

    # Subjects that are told apart where two policy sets decide otherwise: a log has millions.
    flip_subjects: int = 100_000  # of one rule

    # -- requests ----------------------------------------------------------------------------
    # Subject, action and resource names become index keys and log fields.
    name_length: int = 1_024  # code points
    subject_roles: int = 1_000  # each is a look-up in the index
    batch_size: int = 1_000  # items; one message of 4 MiB at 4 kB an item
    # Others wait while a batch is decided. One takes some milliseconds; a thousand items whose
    # conditions go to `decision_steps` would take seconds.
    batch_milliseconds: int = 500
    message_bytes: int = 4_194_304  # grpc's own default
    property_depth: int = 32  # levels of nested properties; a Struct deeper than that is hostile
    reply_memory: int = 1_000  # decisions whose bytes are kept; some 300 each
    # Answers that a decision point remembers by what they depend on of the bytes of a question:
    # some 250 bytes each, 2 kB where callers want that. Zero: none is.
    answer_memory: int = 10_000
    # Reasons are for people; a default deny names this many rules that did not apply.
    reasons: int = 8
    # Looked-up (company, action, kind, roles) kept ready, and what they may hold in all: the rules
    # that they lead to, roles and names (8 bytes each, or two characters). They may be made up by a
    # caller, so the memory of them is bounded; when full it is emptied.
    index_memory: int = 10_000
    index_references: int = 1_000_000

    # -- roles -------------------------------------------------------------------------------
    # Subjects whose roles are known, once for each company: some 500 bytes each.
    bindings: int = 1_000_000

    # -- what is remembered ------------------------------------------------------------------
    # Decisions, or attributes of so many entities, some 1 kB each, in a process; and as many
    # changes that they are held against.
    remembered: int = 10_000

    # -- clients -----------------------------------------------------------------------------
    # What a client remembers, where it is told to: some ten thousand questions with answers.
    remembered_bytes: int = 16_777_216

    # -- the sidecar -------------------------------------------------------------------------
    # Streams that tell of new revisions: each is some kB, and all are woken at a change.
    revision_watchers: int = 1_000

    # -- connections of the sidecar (on libnghttp2; grpcio has limits of its own) ------------
    # Of one process; each is some 20 kB while nothing is asked, some 50 in TLS.
    connections: int = 10_000
    handshake_seconds: int = 10  # that one of TLS may take
    connection_calls: int = 1_000  # at once
    header_bytes: int = 16_384  # of one call, as HPACK counts; the longest tokens are half of it
    # What is kept of calls that are not whole, and of answers that are not taken.
    connection_bytes: int = 33_554_432  # two of the longest answers
    connections_bytes: int = 268_435_456  # of all connections
    # Until a call that does not come, an answer that is not taken, or a connection that says
    # nothing is given up.
    connection_seconds: int = 60
    keepalive_seconds: int = 20  # until a connection that was asked whether it is alive has said so
    # Frames that ask nothing (pings, settings, windows, resets, crumbs of data) at once, a second,
    # and more for each answered call. Some clients need four a call.
    idle_frames: int = 2_000
    idle_frames_rate: int = 100
    idle_frames_call: int = 16
    # Calls that are given up, at once and a second: each may have been decided for nobody.
    resets: int = 1_000
    resets_rate: int = 100

    # -- routes of a proxy -------------------------------------------------------------------
    routes: int = 10_000  # in one table; a platform has some hundred
    target_length: int = 16_384  # code points of a path with its query; servers stop at half of it
    query_parameters: int = 1_000  # each is a name and a value that a condition may read

    # -- decision log ------------------------------------------------------------------------
    # Decisions that wait to be written: some 10 MB at 1 kB each, and a tenth of a second of a disk;
    # and the memory that they hold where lines are long.
    log_queue: int = 10_000
    log_queue_bytes: int = 67_108_864
    # A line without its attributes is some 1 kB; what a reader takes in at once is bounded.
    log_line_bytes: int = 1_048_576


DEFAULT = Limits()
