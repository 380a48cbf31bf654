"""Characters to names and literals: where a lexeme ends, and what its text is worth.

Laws: a text that is read here ends with a NUL (the parser adds it), so that looking one character
ahead needs no check; a lexeme that is wrong is recorded as a `Problem` and a stand-in value is
returned, so that the parser goes on and finds what else is wrong.
"""

from __future__ import annotations

from .values import INT_MAX, INT_MIN, UINT_MAX, uint

INFINITY = float("inf")
PREFIXES = frozenset(("r", "b", "br"))  # of a string, in either case
BLANK = frozenset(" \t\n\r\f")
PUNCTUATION = frozenset("()[]{}.,:?!-+*/%<>=&|'\"`")
CLOSERS = {"(": ")", "[": "]", "{": "}"}


class Problem:
    """What is wrong at `position` (to `end`) of the text: a stable `code`, and the `details` that
    its message is made of.

    `stand_in` is what the text would have to hold there instead, from `position` to `end`, for
    everything before the next problem to make sense: a diagnostic asks the grammar of record what
    could follow.
    """

    __slots__ = ("code", "details", "end", "position", "stand_in")

    def __init__(
        self, code: str, position: int, end: int, details: tuple[str, ...], stand_in: str = ""
    ) -> None:
        self.code = code
        self.position = position
        self.end = end
        self.details = details
        self.stand_in = stand_in


def is_letter(char: str) -> bool:
    """Whether a name can begin with it."""
    return "a" <= char <= "z" or "A" <= char <= "Z" or char == "_"


def is_digit(char: str) -> bool:
    return "0" <= char <= "9"


def is_hex_digit(char: str) -> bool:
    return "0" <= char <= "9" or "a" <= char <= "f" or "A" <= char <= "F"


def is_lexical(char: str) -> bool:
    """Whether an expression can have it outside of strings and comments."""
    return is_letter(char) or is_digit(char) or char in PUNCTUATION or char in BLANK


def word_end(text: str, position: int) -> int:
    """Where the letters, digits and underscores from `position` end."""
    char = text[position]
    while "a" <= char <= "z" or "A" <= char <= "Z" or "0" <= char <= "9" or char == "_":
        position += 1
        char = text[position]
    return position


def blank_end(text: str, position: int) -> int:
    """Where the white space and comments from `position` end."""
    while True:
        char = text[position]
        if char == " " or char == "\n" or char == "\t" or char == "\r" or char == "\f":
            position += 1
        elif char == "/" and text[position + 1] == "/":
            position = line_end(text, position)
        else:
            return position


def line_end(text: str, position: int) -> int:
    """Where the line of `position` ends."""
    while position < len(text) - 1 and text[position] != "\n" and text[position] != "\r":
        position += 1
    return position


# -- numbers -----------------------------------------------------------------------------------


def digits_end(text: str, position: int) -> int:
    while "0" <= text[position] <= "9":
        position += 1
    return position


def exponent_end(text: str, position: int) -> int:
    """Where the exponent at `position` ends; `position` where there is none."""
    if text[position] != "e" and text[position] != "E":
        return position
    first = position + 1
    if text[first] == "+" or text[first] == "-":
        first += 1
    end = digits_end(text, first)
    return end if end > first else position


def number_end(text: str, start: int) -> int:
    """Where the number that begins at `start` (a digit, or a dot and a digit) ends."""
    if text[start] == "0" and text[start + 1] == "x" and is_hex_digit(text[start + 2]):
        end = start + 2
        while is_hex_digit(text[end]):
            end += 1
        return end + 1 if text[end] == "u" or text[end] == "U" else end
    whole = digits_end(text, start)
    end = whole
    if text[whole] == "." and is_digit(text[whole + 1]):
        end = digits_end(text, whole + 1)
    end = exponent_end(text, end)
    if end == whole and (text[end] == "u" or text[end] == "U"):
        return end + 1
    return end


def is_unsigned(text: str, start: int) -> bool:
    """Whether the number at `start` has the suffix of a uint."""
    last = text[number_end(text, start) - 1]
    return last == "u" or last == "U"


def number_value(token: str, negative: bool) -> object:
    """The value of a number's text, or None where its type cannot hold it."""
    if token.startswith("0x"):
        digits, base = token[2:].lstrip("0"), 16
    elif token.isdigit() or token[-1] in "uU":
        digits, base = token.lstrip("0"), 10
    else:
        number = float(token)
        return None if number == INFINITY else -number if negative else number
    if token[-1] in "uU":
        value = int_value(digits[:-1], base)
        return None if value > UINT_MAX else uint(value)
    value = int_value(digits, base)
    if negative:
        value = -value
    return value if INT_MIN <= value <= INT_MAX else None


def int_value(digits: str, base: int) -> int:
    """The number that `digits` write; something too large for any type where they are many."""
    if len(digits) > 20:  # of UINT_MAX; Python takes quadratic time on long ones, or refuses
        return UINT_MAX + 1
    return int(digits, base) if digits else 0


def number_problem(token: str) -> str:
    """The code of the problem that `token` has no value."""
    if token[-1] in "uU":
        return "uint_out_of_range"
    return "int_out_of_range" if token.isdigit() or token[1] == "x" else "double_out_of_range"


# -- strings -----------------------------------------------------------------------------------


def string_end(text: str, quote: int, raw: bool) -> int:
    """Where the string whose first quote is at `quote` ends, behind its last quote; -1 where it
    is not closed."""
    mark = text[quote]
    triple = text[quote + 1] == mark and text[quote + 2] == mark
    position = quote + 3 if triple else quote + 1
    last = len(text) - 1
    while position < last:
        char = text[position]
        if char == mark:
            if not triple:
                return position + 1
            if text[position + 1] == mark and text[position + 2] == mark:
                return position + 3
        elif char == "\\" and not raw:
            position += 1
        elif (char == "\n" or char == "\r") and not triple:
            return -1
        position += 1
    return -1


def string_value(text: str, start: int, end: int, problems: list[Problem]) -> object:
    """What the literal from `start` to `end` writes, prefix and quotes included."""
    quote = start
    raw = is_bytes = False
    while is_letter(text[quote]):
        raw = raw or text[quote] == "r" or text[quote] == "R"
        is_bytes = is_bytes or text[quote] == "b" or text[quote] == "B"
        quote += 1
    mark = text[quote]
    triple = end - quote >= 6 and text[quote + 1] == mark and text[quote + 2] == mark
    width = 3 if triple else 1
    body = text[quote + width : end - width]
    if not raw and "\\" in body:
        pieces = unescape(text, quote + width, end - width, is_bytes, problems)
        return b"".join(pieces) if is_bytes else b"".join(pieces).decode()
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    return body.encode() if is_bytes else body


SIMPLE_ESCAPES = {
    "a": b"\a", "b": b"\b", "f": b"\f", "n": b"\n", "r": b"\r", "t": b"\t", "v": b"\v",
    "\\": b"\\", "?": b"?", '"': b'"', "'": b"'", "`": b"`",
}  # fmt: skip
OCTAL = "01234567"
HEX_WIDTHS = {"x": 2, "X": 2, "u": 4, "U": 8}


def unescape(
    text: str, start: int, end: int, is_bytes: bool, problems: list[Problem]
) -> list[bytes]:
    """The UTF-8 pieces of the string's body from `start` to `end`, escapes resolved."""
    pieces = []
    while start < end:
        escape = text.find("\\", start, end)
        if escape < 0:
            escape = end
        plain = text[start:escape]
        if "\r" in plain:
            plain = plain.replace("\r\n", "\n").replace("\r", "\n")
        pieces.append(plain.encode())
        start = escape
        if escape < end:
            start = escape_end(text, escape)
            pieces.append(escape_value(text[escape:start], escape, is_bytes, problems))
    return pieces


def escape_end(text: str, escape: int) -> int:
    """Where the escape sequence at the backslash `escape` ends, right or wrong."""
    char = text[escape + 1]
    position = escape + 2
    if char in HEX_WIDTHS:
        last = position + HEX_WIDTHS[char]
        while position < last and is_hex_digit(text[position]):
            position += 1
    elif is_digit(char):
        while position < escape + 4 and is_digit(text[position]):
            position += 1
    return position


def escape_value(token: str, position: int, is_bytes: bool, problems: list[Problem]) -> bytes:
    """The UTF-8 (in bytes, the octet) that the escape sequence `token` stands for."""
    kind = token[1]
    if kind in SIMPLE_ESCAPES:
        return SIMPLE_ESCAPES[kind]
    code = -1
    if kind in HEX_WIDTHS and len(token) == 2 + HEX_WIDTHS[kind]:
        code = int(token[2:], 16)
    elif "0" <= kind <= "3" and len(token) == 4 and not token[1:].strip(OCTAL):
        code = int(token[1:], 8)
    if code < 0 or is_bytes and (kind == "u" or kind == "U"):
        problem = "invalid_bytes_escape" if code >= 0 else "invalid_escape"
        problems.append(Problem(problem, position, position + len(token), (token,), "x"))
        return b""
    if is_bytes:
        return bytes((code,))
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        end = position + len(token)
        problems.append(Problem("invalid_code_point", position, end, (token,), "x"))
        return b""
    return chr(code).encode()


# -- finding one's way after a mistake ---------------------------------------------------------


def lexeme_end(text: str, start: int) -> int:
    """Where what stands at `start` ends, as a diagnostic shows it."""
    char = text[start]
    if is_letter(char):
        return word_end(text, start)
    if is_digit(char):
        return number_end(text, start)
    if char == "'" or char == '"':
        return max(string_end(text, start, False), start + 1)
    if char == "`":
        return text.find("`", start + 1) + 1 or start + 1
    if text[start : start + 2] in ("==", "!=", "<=", ">=", "&&", "||"):
        return start + 2
    end = start + 1
    while not is_lexical(char) and end < len(text) - 1 and not is_lexical(text[end]):
        end += 1
    return end


def next_closer(text: str, position: int, closer: str, commas: bool) -> int:
    """The offset of the `closer` (or comma, if `commas`) of the bracket that is open at
    `position`; -1 where the brackets or strings up to there do not match."""
    stack: list[str] = []
    while position < len(text) - 1:
        char = text[position]
        if not stack and (char == closer or commas and char == ","):
            return position
        if char in CLOSERS:
            stack.append(CLOSERS[char])
        elif char in ")]}" and (not stack or stack.pop() != char):
            return -1
        position = skipped_end(text, position)
        if position < 0:
            return -1
    return -1


def skipped_end(text: str, start: int) -> int:
    """Where the name, string, comment or character at `start` ends; -1 for an unclosed string."""
    char = text[start]
    quote = word_end(text, start)
    if text[quote] == "'" or text[quote] == '"':
        prefix = text[start:quote].lower()
        if quote == start or prefix in PREFIXES:
            return string_end(text, quote, prefix.endswith("r"))
    if char == "`":
        return text.find("`", start + 1) + 1 or -1
    if char == "/" and text[start + 1] == "/":
        return line_end(text, start)
    return max(quote, start + 1)
