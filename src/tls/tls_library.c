/* Finds the functions of OpenSSL with dlopen(3). */
#include "tls/tls_library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "net/os.h"

/* That of OpenSSL 3; of others sockt knows nothing. */
#define LIBRARY "libssl.so.3"

#define ROW(type, name, parameters) {#name, offsetof(struct tls_library, name)},

static const struct {
	const char *name;
	size_t offset; /* of its pointer in struct tls_library */
} functions[] = {TLS_FUNCTIONS(ROW)};

const struct tls_library *
tls_library_load(struct err *e)
{
	static struct tls_library library;
	static bool is_loaded;
	void *handle, *function;
	const char *(*version)(int);
	size_t i;

	if (is_loaded)
		return &library;
	if (!os_has_loader()) {
		err_set(e, ERR_FAILED,
		    "this sockt is a static build, and TLS needs one that is "
		    "linked dynamically");
		return NULL;
	}
	handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		err_set(e, ERR_FAILED,
		    "TLS needs " LIBRARY ", which cannot be loaded (Debian: "
		    "install libssl3): %s",
		    dlerror());
		return NULL;
	}
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		/* Those of libcrypto are found through the same handle. */
		function = dlsym(handle, functions[i].name);
		if (function == NULL) {
			function = dlsym(handle, "OpenSSL_version");
			memcpy(&version, &function, sizeof(version));
			err_set(e, ERR_FAILED,
			    "TLS: " LIBRARY " has no %s (it is %s)",
			    functions[i].name,
			    function != NULL ? version(0) : "not OpenSSL");
			(void)dlclose(handle);
			return NULL;
		}
		memcpy((char *)&library + functions[i].offset, &function,
		    sizeof(function));
	}
	is_loaded = true;
	return &library;
}
