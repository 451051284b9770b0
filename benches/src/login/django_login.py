"""Logins as django-auth-ldap does them: the same directory and configuration, a worker as `worker.rs` describes it.

It is favoured: one TLS context for all connections, SQLite with a write-ahead log, and no session, which ours starts.
"""

import itertools
import pathlib
import sys
import threading
import time

import django
import ldap
from django.conf import settings
from django_auth_ldap.config import LDAPSearch, NestedGroupOfNamesType

url, _plain, folder, _store, concurrency, logins = sys.argv[1:]
folder, concurrency, logins = pathlib.Path(folder), int(concurrency), int(logins)
BASE = "dc=example,dc=com"
PASSWORD = "Open-Sesame-1"

ldap.set_option(ldap.OPT_X_TLS_CACERTFILE, str(folder / "ca.crt"))
ldap.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
ldap.set_option(ldap.OPT_X_TLS_NEWCTX, 0)

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "django.db", "OPTIONS": {"timeout": 60}}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=True,
    AUTHENTICATION_BACKENDS=["django_auth_ldap.backend.LDAPBackend"],
    AUTH_LDAP_SERVER_URI=url,
    AUTH_LDAP_BIND_DN=f"cn=reader,ou=services,{BASE}",
    AUTH_LDAP_BIND_PASSWORD=PASSWORD,
    AUTH_LDAP_USER_SEARCH=LDAPSearch(
        f"ou=people,{BASE}", ldap.SCOPE_SUBTREE, "(&(objectClass=inetOrgPerson)(uid=%(user)s))"
    ),
    AUTH_LDAP_USER_ATTR_MAP={"first_name": "givenName", "last_name": "sn", "email": "mail"},
    AUTH_LDAP_GROUP_SEARCH=LDAPSearch(f"ou=groups,{BASE}", ldap.SCOPE_SUBTREE, "(objectClass=groupOfNames)"),
    AUTH_LDAP_GROUP_TYPE=NestedGroupOfNamesType(),
    AUTH_LDAP_REQUIRE_GROUP=f"cn=level6-0000,ou=groups,{BASE}",
    AUTH_LDAP_DENY_GROUP=f"cn=denied,ou=groups,{BASE}",
    AUTH_LDAP_USER_FLAGS_BY_GROUP={"is_staff": f"cn=level3-0000,ou=groups,{BASE}"},
    AUTH_LDAP_MIRROR_GROUPS=True,
)
django.setup()

from django.contrib.auth import authenticate, get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

call_command("migrate", verbosity=0)
with connection.cursor() as cursor:
    cursor.execute("PRAGMA journal_mode=WAL")

people = [line.split() for line in (folder / "people").read_text().splitlines()]
names = [name for name, *_ in people]


def everybody(total):
    """So many logins, shared by all threads; returns how long each took."""
    took, failed, numbers = [], [], itertools.count()

    def some():
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=NORMAL")
        while not failed and (n := next(numbers)) < total:
            began = time.perf_counter()
            if authenticate(username=names[n % len(names)], password=PASSWORD) is None:
                failed.append(names[n % len(names)])
            took.append(time.perf_counter() - began)
        connection.close()

    threads = [threading.Thread(target=some) for _ in range(concurrency)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed or len(took) < total:
        sys.exit(f"django-auth-ldap refused {failed}")
    return sorted(took)


everybody(len(names))
for name, *groups in people:
    mirrored = sorted(get_user_model().objects.get(username=name).groups.values_list("name", flat=True))
    if mirrored != groups:
        sys.exit(f"{name} is in {mirrored} and not in {groups}")
print("ready", flush=True)
for _ in sys.stdin:
    began = time.perf_counter()
    took = everybody(logins)
    wall = time.perf_counter() - began
    print(wall, took[len(took) // 2], took[min(len(took) * 99 // 100, len(took) - 1)], flush=True)
