"""The tables, as numbered SQL files: `NNNN_name.sql`, each applied once, in their order.

Law: a file that was applied somewhere is not changed any more; what must change goes into the next.
"""
