# cython: language_level=3, boundscheck=False, wraparound=False
"""The evaluation cases as a person would write them in Cython for exactly these inputs: no errors
as values, no overflow, no policies, a dict in and a bool out. What a compiled engine cannot beat
by much, and the reference that ours is held to."""

import re

from datetime import timedelta

cdef object MONTH = timedelta(hours=720)
cdef object search_email = re.compile(r"^[a-z.]+@example[.]com$").search
cdef tuple DEPARTMENTS = tuple([f"department-{number}" for number in range(30)])


def always(dict data):
    return True


def arithmetic(dict data):
    cdef long long x = data["x"]
    return x + 1 > 2


def policy(dict data):
    cdef dict subject = data["subject"]
    cdef dict resource
    if <str>subject["department"] == "engineering":
        resource = data["resource"]
        if <str>resource["owner"] == <str>subject["id"]:
            return True
    return "admin" in <list>subject["roles"]


def exists(dict data):
    cdef list projects = data["projects"]
    cdef str tag
    for tag in <list>data["tags"]:
        if tag.startswith("proj-") and tag in projects:
            return True
    return False


def filter_map(dict data):
    cdef long long number
    cdef list even = []
    for number in <list>data["numbers"]:
        if number % 2 == 0:
            even.append(number * 2)
    return len(even) == 50


def time_regex(dict data):
    return data["now"] - data["created"] < MONTH and search_email(data["email"]) is not None


def equalities(dict data):
    cdef dict subject = data["subject"]
    cdef str department = subject["department"]
    cdef str name
    for name in DEPARTMENTS:
        if department == name:
            return True
    return False
