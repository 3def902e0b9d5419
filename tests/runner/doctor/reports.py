"""What a report says, in short."""


def said(report, *severities):
    """Subject and code of each finding of these severities, without those not checked."""
    return {
        (finding["subject"], finding["code"])
        for finding in report["findings"]
        if finding["severity"] in severities and finding["checked"]
    }


def errors(report):
    return said(report, "error")


def not_checked(report):
    return {finding["subject"] for finding in report["findings"] if not finding["checked"]}


def of(report, code):
    return [finding for finding in report["findings"] if finding["code"] == code]
