"""Audit events of a wished size, equal for equal seeds: a file for the emulator's --corpus.

The bulk stands in four members, none above what the destination takes in one column, so no event of up to 200 kB is cut.
Texts differ throughout a file, which is larger than any window of LZ4 or gzip: repeating it gains nothing.
"""
import json
import random
import uuid

NAMES = ("DescribeInstances", "RunInstances", "PutObject", "AssumeRole", "CreateBucket", "DeleteSecurityGroup", "ConsoleSignin")
BULK_MEMBERS = ("responseElements", "requestParameters", "additionalEventData", "referencedResources")
WORDS = ("Running", "Stopped", "cn-hangzhou-h", "cn-beijing-k", "ecs.g7.large", "PostPaid", "vpc", "cloud_essd", "default",
         "production")
FILE_BYTES_MIN = 8_000_000
EVENTS_MIN = 50


def letters(chance, count):
    return f"{chance.getrandbits(count * 5):x}"[:count]


def words(chance, count):
    text = ""
    while len(text) < count:
        text += chance.choice(WORDS) + "/" + letters(chance, 4) + " "
    return text[:max(0, count)]


def resource(chance):
    """About 200 bytes, as compressible as lists of instances are."""
    return {
        "InstanceId": "i-" + letters(chance, 20), "Status": chance.choice(WORDS), "ZoneId": chance.choice(WORDS),
        "PrivateIp": f"172.{chance.randrange(16, 32)}.{chance.randrange(256)}.{chance.randrange(256)}",
        "InstanceType": chance.choice(WORDS), "VSwitchId": "vsw-" + letters(chance, 20), "Cpu": chance.randrange(1, 65),
    }


def text_of(event):
    return json.dumps(event, separators=(",", ":"))


def event(chance, number, bytes_wished):
    """Within a few bytes of the wished size, when that is above 280."""
    second = number % 86_400
    out = {
        "eventId": str(uuid.UUID(int=chance.getrandbits(128), version=4)).upper(),
        "eventName": chance.choice(NAMES),
        "eventTime": f"2026-11-20T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z",
        "sourceIpAddress": f"203.0.113.{chance.randrange(256)}",
        "userAgent": "",
    }
    left = bytes_wished - len(text_of(out))
    for place, member in enumerate(BULK_MEMBERS):
        share = left // (len(BULK_MEMBERS) - place)
        found = []
        used = len(member) + len(',"":{"items":[]}')
        while left > 0 and used < share:
            found.append(resource(chance))
            used += len(text_of(found[-1])) + 1
        if used > share and found:
            used -= len(text_of(found.pop())) + 1
        if found:
            out[member] = {"items": found}
            left -= used - 1  # no comma behind the last item
    out["userAgent"] = words(chance, left)
    return text_of(out)


def write_corpus(path, bytes_wished, seed):
    """Returns how many events the file holds."""
    chance = random.Random(f"{seed}/{bytes_wished}")
    count = max(EVENTS_MIN, FILE_BYTES_MIN // bytes_wished)
    with open(path, "w") as file:
        for number in range(count):
            file.write(event(chance, number, bytes_wished) + "\n")
    return count
