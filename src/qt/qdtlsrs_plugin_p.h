// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_PLUGIN_P_H
#define QDTLSRS_PLUGIN_P_H

// Included first into each file of a plugin that is built alone, outside a Qt build. Such a plugin
// may be found by a program with another Qt, through QT_PLUGIN_PATH.

// moc's function of this name creates the TLS backend. Under another name it is called by the one
// in qdtlsrs_plugin.cpp, unless the plugin is for another Qt.
#define qt_plugin_instance qdtlsrs_create_backend

// What Qt 6.4 exports as public, and later versions, up to 6.12, as private. A plugin for 6.4 would
// not load there, and a plugin that does not load keeps Qt from loading those that follow, its own
// among them. Where these are missing, qdtlsrs_plugin.cpp creates no backend to call them.
#if defined(__ELF__)
__asm__(".weak _ZN11QRingBuffer4chopEx\n"
        ".weak _ZN11QRingBuffer4freeEx\n"
        ".weak _ZN11QRingBuffer7reserveEx\n"
        ".weak _ZN22QSslCertificatePrivate13isBlacklistedERK15QSslCertificate");
#endif

#endif // QDTLSRS_PLUGIN_P_H
