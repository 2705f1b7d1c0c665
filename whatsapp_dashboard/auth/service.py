"""Log-in and everything an operator does with their own access. Other people's access is in operators.py."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import NoReturn

import jwt
import structlog
from sqlalchemy import func, select, update
from sqlmodel import col

from whatsapp_dashboard.auth import addresses, passwords
from whatsapp_dashboard.auth.confirming import Confirmation
from whatsapp_dashboard.auth.lockout import Lockout
from whatsapp_dashboard.auth.operators import Operators
from whatsapp_dashboard.auth.second_factor import SecondFactor
from whatsapp_dashboard.auth.sessions import BROWSER, TOKEN, Issued, SessionInfo, Sessions
from whatsapp_dashboard.config import Settings
from whatsapp_dashboard.core.clock import Clock
from whatsapp_dashboard.core.crypto import SecretBox
from whatsapp_dashboard.core.db import Database
from whatsapp_dashboard.core.steady import SteadyTask
from whatsapp_dashboard.domain.principal import Principal, Role
from whatsapp_dashboard.errors import NotFound, Unauthenticated
from whatsapp_dashboard.events.log import record
from whatsapp_dashboard.models import LoginSession, Operator, Workspace
from whatsapp_dashboard.models.workspace import DEFAULT_WORKSPACE

PRUNE_EVERY = timedelta(minutes=15)
TOKEN_LIFETIME = timedelta(hours=24)

log = structlog.get_logger(__name__)


class AuthService:
    """Who may come in."""

    def __init__(self, db: Database, box: SecretBox, settings: Settings, clock: Clock) -> None:
        self._db = db
        self._box = box
        self._settings = settings
        self._clock = clock
        self._pruner = SteadyTask("auth-prune", self._prune_forever)
        self.sessions = Sessions(db, clock)
        self.lockout = Lockout(db, clock)
        self._confirmation = Confirmation(db, self.lockout)
        self.second_factor = SecondFactor(
            db, box, clock, sessions=self.sessions, lockout=self.lockout, confirmation=self._confirmation
        )
        self.operators = Operators(db, self.sessions, self._confirmation)
        self.first_password: str | None = None
        """The generated password of the first operator, in the process that made it; to be printed once (SEC-1)."""

    async def start(self) -> None:
        """Make the first operator when there is none, and begin to prune."""
        await self.bootstrap()
        await passwords.prepare()
        self._pruner.start()

    async def stop(self) -> None:
        """Stop pruning."""
        await self._pruner.stop()

    async def bootstrap(self) -> None:
        """The workspace Default and, in an empty dashboard, its owner (SEC-1)."""
        configured = self._settings.dashboard_password
        password = configured.get_secret_value() if configured else passwords.generate()
        passwords.check_new(password)
        async with self._db.read() as session:
            if await session.scalar(select(func.count()).select_from(Operator)):
                return
        hashed = await passwords.hash_password(password)
        async with self._db.write() as session:
            if await session.scalar(select(func.count()).select_from(Operator)):
                return
            workspace = await session.scalar(select(Workspace).where(col(Workspace.name) == DEFAULT_WORKSPACE))
            if workspace is None:
                workspace = Workspace(name=DEFAULT_WORKSPACE)
                session.add(workspace)
                await session.flush()
            session.add(
                Operator(
                    workspace_id=workspace.id,
                    username=self._settings.dashboard_username,
                    password_hash=hashed,
                    role=Role.OWNER.value,
                )
            )
        if configured is None:
            self.first_password = password

    async def first_workspace(self) -> str:
        """The id of the oldest workspace: the one named Default, whatever it is called by now."""
        async with self._db.read() as session:
            oldest = select(col(Workspace.id)).order_by(col(Workspace.created_at), col(Workspace.id)).limit(1)
            return await session.scalar(oldest) or ""

    async def login(self, username: str, password: str, totp_code: str | None, *, ip: str, user_agent: str, kind: str = BROWSER) -> Issued:
        """Start a session. Raises :class:`Unauthenticated` (code ``bad_credentials``, ``totp_required`` or ``totp_wrong``) or
        :class:`TooMany`; nothing tells a wrong password from an unknown name."""
        name = username.strip().lower()[:64]
        attempt = await self.lockout.begin(ip, name)
        async with self._db.read() as session:
            operator = await session.scalar(select(Operator).where(func.lower(col(Operator.username)) == name))
        right = await passwords.verify(password, operator.password_hash if operator else None)
        if operator is None or not right or operator.disabled:
            log.warning("log-in refused", ip=ip)
            await self.lockout.failed(attempt, operator, ip, "password")
            _refuse("The user name or the password is not right.", "bad_credentials")
        if operator.totp_enabled:
            if not totp_code:
                await self.lockout.forget(attempt)
                _refuse("Enter the code from your authenticator app.", "totp_required")
            if not await self.second_factor.use(operator.id, totp_code):
                await self.lockout.failed(attempt, operator, ip, "code")
                _refuse("That code is not right. Wait for the next one and try again.", "totp_wrong")
        async with self._db.write() as session:
            # Read again under the write: the operator may have been disabled while the password was checked.
            current = await session.get(Operator, operator.id)
            if current is None or current.disabled or current.password_hash != operator.password_hash:
                _refuse("The user name or the password is not right.", "bad_credentials")
            current.last_login_at = self._clock.now()
            await addresses.remember(session, current.id, attempt.ip, self._clock.now())
            issued = await self.sessions.issue(session, current, kind=kind, ip=ip, user_agent=user_agent)
            record(
                session,
                "operator.logged_in",
                workspace_id=current.workspace_id,
                data={"operator_id": current.id, "username": current.username, "ip": ip, "kind": kind},
            )
        await self.lockout.succeeded(attempt)
        return issued

    async def authenticate(self, token: str, user_agent: str) -> Principal | None:
        """Who holds this cookie, or None (SEC-2)."""
        return await self.sessions.by_token(token, user_agent) if token else None

    async def principal_of_session(self, session_id: str, *, roll: bool = True) -> Principal | None:
        """Who a running session belongs to, or None when it has ended. ``roll`` counts this look as use."""
        return await self.sessions.by_id(session_id, roll=roll)

    async def issue_jwt(self, username: str, password: str, totp_code: str | None, *, ip: str, user_agent: str) -> tuple[str, Issued]:
        """Log in for programs: a signed token that lives 24 hours and ends with its session (API-2)."""
        issued = await self.login(username, password, totp_code, ip=ip, user_agent=user_agent, kind=TOKEN)
        now = self._clock.now()
        claims = {
            "sub": issued.principal.operator_id,
            "sid": issued.session_id,
            "iat": now,
            "exp": now + TOKEN_LIFETIME,
            "aud": "api",
        }
        return jwt.encode(claims, self._box.signing_key, algorithm="HS256"), issued

    async def authenticate_jwt(self, token: str) -> Principal | None:
        """Who a token of :meth:`issue_jwt` belongs to, or None when it is forged, over, or its session has ended."""
        try:
            claims = jwt.decode(
                token, self._box.signing_key, algorithms=["HS256"], audience="api", options={"require": ["exp", "sid", "sub"]}
            )
        except jwt.PyJWTError:
            return None
        principal = await self.sessions.by_id(str(claims["sid"]), roll=False)
        return principal if principal and principal.operator_id == claims["sub"] else None

    async def logout(self, session_id: str) -> None:
        """End one session."""
        await self.sessions.end(col(LoginSession.id) == session_id)

    async def list_sessions(self, who: Principal) -> list[SessionInfo]:
        """One's own running sessions."""
        return await self.sessions.of_operator(who.operator_id, who.session_id)

    async def revoke(self, who: Principal, session_id: str) -> None:
        """End one of one's own sessions. Raises :class:`NotFound`."""
        mine = col(LoginSession.operator_id) == who.operator_id
        if not await self.sessions.end(col(LoginSession.id) == session_id, mine):
            raise NotFound("There is no such session, or it has ended already.")

    async def revoke_others(self, who: Principal) -> int:
        """End all of one's own sessions except this one; returns how many."""
        mine = col(LoginSession.operator_id) == who.operator_id
        return len(await self.sessions.end(mine, col(LoginSession.id) != who.session_id))

    async def change_password(self, who: Principal, current: str, new: str, *, ip: str) -> None:
        """Set a new password, end the other sessions, and know no address any more but this one. Raises :class:`Invalid`, or
        :class:`TooMany` after five wrong tries."""
        passwords.check_new(new, field="new_password")
        await self._confirmation.require(who, current, ip=ip)
        hashed = await passwords.hash_password(new)
        async with self._db.write() as session:
            await session.execute(update(Operator).where(col(Operator.id) == who.operator_id).values(password_hash=hashed))
            await addresses.forget(session, who.operator_id, but=addresses.counted_as(ip))
            record(
                session,
                "operator.password_changed",
                workspace_id=who.workspace_id,
                data={"operator_id": who.operator_id, "username": who.username, "ip": ip},
            )
        await self.revoke_others(who)

    async def prune(self) -> None:
        """Forget sessions and failed log-ins whose time is over."""
        await self.sessions.prune()
        await self.lockout.prune()

    async def _prune_forever(self) -> None:
        while True:
            await self.prune()
            await asyncio.sleep(PRUNE_EVERY.total_seconds())


def _refuse(message: str, code: str) -> NoReturn:
    raise Unauthenticated(message, code=code)
