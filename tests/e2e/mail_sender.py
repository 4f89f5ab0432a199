"""A mail sender that nobody here wrote: Debian's postfix-mta-sts-resolver, told where the tests' servers are."""

import asyncio
import ssl

import aiodns
import aiohttp
import aiohttp.abc
from postfix_mta_sts_resolver import defaults, internal_cache, resolver, responder


class _Names(aiohttp.abc.AbstractResolver):
    """Addresses by the tests' name server, each at the tests' port."""

    def __init__(self, dns, port):
        self.dns, self.port = dns, port

    async def resolve(self, host, port=0, family=0):
        found = await self.dns.query(host, "A")
        return [{"hostname": host, "host": one.host, "port": self.port, "family": 2, "proto": 0, "flags": 0}
                for one in found]

    async def close(self):
        pass


class Sender:
    """Looks at the id each time, with a cache that lives as long as it does. Only where names and ports lead is other
    than in Debian."""

    def __init__(self, ca_file, dns_port, https_port):
        self.loop = asyncio.new_event_loop()
        self.cache = internal_cache.InternalLRUCache()
        self.context = ssl.create_default_context(cafile=ca_file)
        self.dns_port, self.https_port = dns_port, https_port

    def close(self):
        self.loop.close()

    def ask(self, domain):
        """What it tells Postfix: "NOTFOUND " or "OK secure match=…"; and the id and policy in its cache, if any."""
        return self.loop.run_until_complete(self._ask(domain))

    async def _ask(self, domain):
        def look_up(**options):
            return aiodns.DNSResolver(nameservers=["127.0.0.1"], udp_port=self.dns_port, tcp_port=self.dns_port, **options)

        dns = look_up(loop=self.loop, timeout=defaults.TIMEOUT)

        def session(**options):
            connector = aiohttp.TCPConnector(resolver=_Names(dns, self.https_port), ssl=self.context)
            return aiohttp.ClientSession(connector=connector, **options)

        modules = resolver.aiodns, resolver.aiohttp
        resolver.aiodns, resolver.aiohttp = _Instead(aiodns, DNSResolver=look_up), _Instead(aiohttp, ClientSession=session)
        try:
            zone = {"strict_testing": False, "timeout": defaults.TIMEOUT, "require_sni": True}
            asked = responder.STSSocketmapResponder(
                {"path": "unused", "reuse_port": False, "shutdown_timeout": 1, "cache_grace": 0, "default_zone": zone,
                 "zones": {}}, self.loop, self.cache)
            answer = await asked.process_request(f"QUERY {domain}".encode())
        finally:
            resolver.aiodns, resolver.aiohttp = modules
        cached = await self.cache.get(domain)
        return answer.decode().split(":", 1)[1].rstrip(","), cached and (cached.pol_id, cached.pol_body)


class _Instead:
    """A module with some names exchanged."""

    def __init__(self, module, **names):
        self._module = module
        self.__dict__.update(names)

    def __getattr__(self, name):
        return getattr(self._module, name)
