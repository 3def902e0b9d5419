import pytest

from groundtruth import settings as values_of


@pytest.mark.parametrize(
    ("parser", "text", "value"),
    [
        (values_of.text, " any ", " any "),
        (values_of.output_style, "builtin", "builtin"),
        (values_of.algorithm, "dawid-skene", "dawid-skene"),
        (values_of.fraction, "0", 0.0),
        (values_of.fraction, "1", 1.0),
        (values_of.fraction, "2.5e-1", 0.25),
        (values_of.switch, "true", True),
        (values_of.switch, "false", False),
        (values_of.number, "12.5", 12.5),
        (values_of.strength, "0.001", 0.001),
        (values_of.strength, "100000", 100000.0),
        (values_of.half_life, "0", 0.0),
        (values_of.half_life, "1", 1.0),
        (values_of.s3_object, "s3://bucket/a/b.json", "s3://bucket/a/b.json"),
        (values_of.sigma, "3", 3.0),
        (values_of.tie_break, "neighbours", "neighbours"),
        (values_of.whole_number, "064", 64),
    ],
)
def test_a_good_text_has_a_value(parser, text, value):
    found = parser(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("parser", "texts", "end"),
    [
        (values_of.output_style, ["", "Object"], "is not one of object, builtin"),
        (values_of.algorithm, ["", "Majority", "a b"], "is not the name of an algorithm"),
        (values_of.fraction, ["", "-0.1", "1.1", "nan", "half"], "is not a number from 0 to 1"),
        (values_of.switch, ["", "True", "1"], "is neither true nor false"),
        (values_of.number, ["", "-1", "nan", "inf", "ten"], "is not a number of 0 or more"),
        (values_of.strength, ["0", "1e-4", "100001"], "is not a number from 0.001 to 100000"),
        (values_of.half_life, ["0.5"], "is not a number of days, or 0 for none"),
        (values_of.s3_object, ["", "s3://b", "s3://b/", "/tmp/x", "s3:///x"], "S3 URI"),
        (values_of.sigma, ["3.01"], "is not a number from 0 to 3"),
        (values_of.tie_break, ["", "last"], "is not one of first, neighbours"),
        (values_of.whole_number, ["", "-1", "1.5", "²", "٣"], "is not a whole number"),
    ],
)
def test_a_bad_text_says_what_it_may_be(parser, texts, end):
    for text in texts:
        with pytest.raises(ValueError, match=end):
            parser(text)
