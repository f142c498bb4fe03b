"""Typed keys of what the application holds."""

from __future__ import annotations

from aiohttp import web

from app.config import Config
from app.service import Service

CONFIG = web.AppKey("config", Config)
SERVICE = web.AppKey("service", Service)
