"""What a CAP 1.2 message is made of (OASIS CAP-v1.2, 2010, 3.2), for `ingest.cap.tolerance`. Pure."""

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
# name, kind; in the schema's order. A kind with + may stand there more than once.
ALERT = {
    "identifier": "id", "sender": "id", "sent": "sent", "status": "status", "msgType": "must",
    "source": "text", "scope": "spare", "restriction": "text", "addresses": "text", "code": "text+",
    "note": "text", "references": "joined", "incidents": "text", "info": "info+",
}  # fmt: skip
INFO = {
    "language": "text", "category": "spare+", "event": "event", "responseType": "choice+",
    "urgency": "spare", "severity": "severity", "certainty": "spare", "audience": "text",
    "eventCode": "pair+", "effective": "time", "onset": "time", "expires": "time",
    "senderName": "text", "headline": "text", "description": "text", "instruction": "text",
    "web": "text", "contact": "text", "parameter": "pair+", "resource": "unused+", "area": "area+",
}  # fmt: skip
AREA = {
    "areaDesc": "joined", "polygon": "text+", "circle": "text+", "geocode": "pair+",
    "altitude": "unused", "ceiling": "unused",
}  # fmt: skip
PAIR = {"valueName": "text+", "value": "text+"}
VALUES = {
    "status": ("Actual", "Exercise", "System", "Test", "Draft"),
    "msgType": ("Alert", "Update", "Cancel", "Ack", "Error"),
    "scope": ("Public", "Restricted", "Private"),
    "category": (
        "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra",
        "CBRNE", "Other",
    ),
    "responseType": (
        "Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None",
    ),
    "urgency": ("Immediate", "Expected", "Future", "Past", "Unknown"),
    "severity": ("Extreme", "Severe", "Moderate", "Minor", "Unknown"),
    "certainty": ("Observed", "Likely", "Possible", "Unlikely", "Unknown"),
}  # fmt: skip
# what says least, where it decides nothing here; CAP's own word for "not known"
SPARE = {"scope": "Public", "category": "Other", "urgency": "Unknown", "certainty": "Unknown"}
OLD = {"certainty": {"verylikely": "Likely"}}  # CAP 1.2 3.2.2: of CAP 1.0, means Likely
