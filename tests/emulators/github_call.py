"""One request to GitHub's REST API, taken apart; what of it is refused wherever it stands."""

import re

from github_answers import Refusal

SHA = re.compile(r"[0-9a-f]{40}$")
NOT_SUPPLIED = 'Invalid request.\n\n"{}" wasn\'t supplied.'


class Call:
    """One request to one repository."""

    def __init__(self, request, repository, token):
        self.request, self.repository, self.token = request, repository, token
        self.git = repository["git"]

    def json(self):
        try:
            body = self.request.json()
        except ValueError:
            raise Refusal(400, "Problems parsing JSON") from None
        if not isinstance(body, dict):
            raise Refusal(400, "Body should be a JSON object")
        return body


def people(token, body):
    """Author and committer: each falls back on the other, then on the token's owner."""
    found = {}
    for role in ("author", "committer"):
        person = body.get(role)
        if person is not None:
            for name in ("name", "email"):
                if not isinstance(person.get(name), str) or not person[name]:
                    raise Refusal(422, NOT_SUPPLIED.format(name))
            found[role] = (person["name"], person["email"])
    owner = (token["login"], f"{token['login']}@users.noreply.github.com")
    author = found.get("author", found.get("committer", owner))
    return author, found.get("committer", author)


def check_path(path, name):
    if not path or any(part in ("", ".", "..", ".git") for part in path.split("/")):
        raise Refusal(422, f"{name} contains a malformed path component")
