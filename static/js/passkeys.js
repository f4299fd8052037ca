// Passkeys: a button with data-passkey fetches options from that address, asks the browser for a passkey,
// and sends the form it is in, with the browser's answer as one of its fields.
(() => {
  const supported = Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON);
  if (supported) document.documentElement.dataset.passkeys = "on";

  const optionsFrom = async (address, form) => {
    const token = form.querySelector("[name$=csrf_token]").value;
    const answer = await fetch(address, { method: "POST", headers: { "X-CSRFToken": token } });
    if (!answer.ok) throw new Error(`options: ${answer.status}`);
    return answer.json();
  };

  const credentialFor = async (button) => {
    const options = await optionsFrom(button.dataset.passkey, button.form);
    if ("passkeyNew" in button.dataset) {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
      return navigator.credentials.create({ publicKey });
    }
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return navigator.credentials.get({ publicKey });
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-passkey]");
    if (!button) return;
    const failed = button.form.querySelector("[data-passkey-failed]");
    failed.hidden = true;
    button.disabled = true;
    try {
      const credential = await credentialFor(button);
      button.form.elements[button.dataset.passkeyField].value = JSON.stringify(credential);
      button.form.requestSubmit();
    } catch {
      failed.hidden = false; // given up, timed out, or the console did not answer: one sentence for all
    } finally {
      button.disabled = false;
    }
  });
})();
