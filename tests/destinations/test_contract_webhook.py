"""The webhook keeps the contract of every adapter, one message at a time or many."""

from destinations.builtin.webhook import Webhook
from destinations.testing import HttpAdapterContract

TABLE = {
    "url": "https://hooks.example.com/in",
    "secret": "planted-signing-secret",
    "headers": {"Authorization": "Bearer planted-token"},
}


class TestWebhook(HttpAdapterContract):
    destination = Webhook
    table = TABLE


class TestWebhookInBatches(HttpAdapterContract):
    destination = Webhook
    table = TABLE | {"batch_size": 10}
