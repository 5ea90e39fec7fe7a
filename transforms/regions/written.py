"""How a path of regions is written as one text."""

# Between the steps of a path; no keyboard writes it.
PATH = " › "
# A step with its code, divided by a space that no cell keeps; people who write it themselves use a plain one.
MARK = "\u00a0("
WITH_CODE = "{}" + MARK + "{})"
UNCODED = MARK + ")"
