"""The emoji that can be picked in the inbox, by group; every other one can still be typed or pasted."""

from __future__ import annotations

GROUPS: dict[str, str] = {
    "Faces": "😀 😃 😄 😁 😅 😂 🤣 😊 🙂 😉 😍 🥰 😘 😋 😜 🤔 🤗 🤩 😎 😏 😇 🥳 😐 😴 😮 😢 😭 😤 😡 😱 🤯 🥺 🙄 😬 🤒 🤷",
    "Hands and people": "👍 👎 👌 🙏 👏 🙌 💪 🤝 👋 ✌️ 🤞 👇 👉 👈 ☝️ ✍️ 🙋 🤦 👨‍💻 👩‍💻 🧑‍🔧 🧑‍🍳 👪 👶",
    "Hearts and signs": "❤️ 🧡 💛 💚 💙 💜 🖤 💔 💯 ✅ ❌ ⚠️ ❗ ❓ ⭐ ✨ 🔥 🎉 💬 📣 🔔 ➡️ ⬅️ 🆗",
    "Things": "📞 📱 💻 📧 📅 ⏰ 📍 🏠 🏢 🛒 🛍️ 💳 💶 💵 🧾 📦 🚚 🚗 ✈️ 🎁 📷 🔑 🔒 📄",
    "Food and nature": "☕ 🍕 🍔 🥗 🍰 🍎 🍷 🍺 🌞 🌧️ ❄️ 🌈 🌸 🌳 🐶 🐱 🐝 🌍",
}
