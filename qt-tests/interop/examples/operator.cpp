// SPDX-License-Identifier: MIT OR Apache-2.0
//
// secureudpserver PORT, secureudpclient PORT ADDRESS: operates the window of Qt's example, without
// a screen. It pushes the button, fills in the dialog, and prints what the window shows.
#include "mainwindow.h"

#include <QtCore/QTextStream>
#include <QtCore/QTimer>
#include <QtWidgets/QApplication>
#include <QtWidgets/QComboBox>
#include <QtWidgets/QDialog>
#include <QtWidgets/QLineEdit>
#include <QtWidgets/QPushButton>
#include <QtWidgets/QTextEdit>

namespace {

void print(const QString &text)
{
    QTextStream(stdout) << text << Qt::endl;
}

// The server's dialog has the machine's own addresses but for localhost; the first will do.
void fillIn(const QString &port, const QString &address)
{
    auto *dialog = qobject_cast<QDialog *>(QApplication::activeModalWidget());
    auto *selector = dialog ? dialog->findChild<QComboBox *>() : nullptr;
    auto *portField = dialog ? dialog->findChild<QLineEdit *>("portSelector") : nullptr;
    if (!selector || !portField)
        return print("no dialog");
    if (selector->isEditable())
        selector->setCurrentText(address);
    else if (selector->count() == 0)
        return print("no address");
    portField->setText(port);
    dialog->accept();
}

} // namespace

int main(int argc, char **argv)
{
    // The qt.conf beside the program leaves only the plugin under test.
    qputenv("QT_QPA_PLATFORM_PLUGIN_PATH", PLATFORMS_DIR);
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    const QStringList arguments = application.arguments();
    MainWindow window;
    window.show();

    const auto fields = window.findChildren<QTextEdit *>();
    for (QTextEdit *field : fields) {
        QObject::connect(field, &QTextEdit::textChanged, field,
                         [field] { print(field->toPlainText()); });
    }
    auto *button = window.findChild<QPushButton *>("startButton");
    if (!button)
        button = window.findChild<QPushButton *>("connectButton");
    // The click returns when the dialog is closed.
    QTimer::singleShot(500, &window, [&] { fillIn(arguments.value(1), arguments.value(2)); });
    QTimer::singleShot(0, button, &QPushButton::click);
    return QApplication::exec();
}
