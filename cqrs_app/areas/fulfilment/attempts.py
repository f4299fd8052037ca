"""Commands that were refused, products that are missing, and when each is tried again. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from cqrs_app.areas.fulfilment.process import FulfilmentProcess


def refused(process: FulfilmentProcess, key: str, sentence: str) -> FulfilmentProcess:
    """The command is not sent again until something changes."""
    return replace(process, refused=process.refused | {key: sentence})


def without_refusals(process: FulfilmentProcess, keys: frozenset[str]) -> FulfilmentProcess:
    """These commands may be sent again."""
    if not keys & process.refused.keys():
        return process
    kept = {key: sentence for key, sentence in process.refused.items() if key not in keys}
    return replace(process, refused=kept)


def retried(process: FulfilmentProcess) -> FulfilmentProcess:
    """Every refused command may be sent again."""
    retries = len(process.policy.retry_after) if process.policy else process.declines
    declines = 0 if process.declines > retries else process.declines
    process = replace(process, refused={}, waits_to_retry=False, declines=declines)
    return try_stock_again(process)


def try_stock_again(process: FulfilmentProcess) -> FulfilmentProcess:
    """Missing products may be reserved again."""
    again = {sku: replace(goods, outcome="", sentence="") for sku, goods in process.missing.items()}
    hold = f"HoldOrder {process.order_id}"
    refused = {key: sentence for key, sentence in process.refused.items() if key != hold}
    return replace(process, goods=process.goods | again, refused=refused)
