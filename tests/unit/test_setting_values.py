import pytest

from groundtruth import settings


@pytest.mark.parametrize(
    ("parser", "text", "value"),
    [
        (settings.parse_text, " any ", " any "),
        (settings.parse_output_style, "builtin", "builtin"),
        (settings.parse_algorithm, "dawid-skene", "dawid-skene"),
        (settings.parse_fraction, "0", 0.0),
        (settings.parse_fraction, "1", 1.0),
        (settings.parse_fraction, "2.5e-1", 0.25),
        (settings.parse_switch, "true", True),
        (settings.parse_switch, "false", False),
        (settings.parse_number, "12.5", 12.5),
        (settings.parse_strength, "0.001", 0.001),
        (settings.parse_strength, "100000", 100000.0),
        (settings.parse_half_life, "0", 0.0),
        (settings.parse_half_life, "1", 1.0),
        (settings.parse_s3_object, "s3://bucket/a/b.json", "s3://bucket/a/b.json"),
        (settings.parse_sigma, "3", 3.0),
        (settings.parse_tie_break, "neighbours", "neighbours"),
        (settings.parse_whole_number, "064", 64),
    ],
)
def test_a_good_text_has_a_value(parser, text, value):
    found = parser(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("parser", "texts", "end"),
    [
        (settings.parse_output_style, ["", "Object"], "is not one of object, builtin"),
        (settings.parse_algorithm, ["", "Majority", "a b"], "is not the name of an algorithm"),
        (
            settings.parse_fraction,
            ["", "-0.1", "1.1", "nan", "half"],
            "is not a number from 0 to 1",
        ),
        (settings.parse_switch, ["", "True", "1"], "is neither true nor false"),
        (settings.parse_number, ["", "-1", "nan", "inf", "ten"], "is not a number of 0 or more"),
        (settings.parse_strength, ["0", "1e-4", "100001"], "is not a number from 0.001 to 100000"),
        (settings.parse_half_life, ["0.5"], "is not a number of days, or 0 for none"),
        (settings.parse_s3_object, ["", "s3://b", "s3://b/", "/tmp/x", "s3:///x"], "S3 URI"),
        (settings.parse_sigma, ["3.01"], "is not a number from 0 to 3"),
        (settings.parse_tie_break, ["", "last"], "is not one of first, neighbours"),
        (settings.parse_whole_number, ["", "-1", "1.5", "²", "٣"], "is not a whole number"),
    ],
)
def test_a_bad_text_says_what_it_may_be(parser, texts, end):
    for text in texts:
        with pytest.raises(ValueError, match=end):
            parser(text)
