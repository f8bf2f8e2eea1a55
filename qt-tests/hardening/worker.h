// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A second thread with an event loop, and jobs that run there.
#pragma once

#include <QtCore/QCoreApplication>
#include <QtCore/QEvent>
#include <QtCore/QObject>
#include <QtCore/QThread>

#include <deque>
#include <functional>
#include <future>
#include <mutex>

namespace hardening {

// What a job does happens after what its caller did before, and before what its caller does next,
// also in the eyes of a thread sanitizer: Qt's own locks are not visible to it.
class Worker : public QThread {
public:
    Worker()
    {
        context.moveToThread(this);
        start();
    }

    ~Worker() override { end(); }

    void end()
    {
        quit();
        wait();
    }

    // Runs `job` in the worker's event loop and returns after it.
    void run(const std::function<void()> &job)
    {
        std::promise<void> done;
        begin([&] {
            job();
            done.set_value();
        });
        done.get_future().wait();
    }

    // Runs `action` here while the worker's event loop stands still.
    void holdWhile(const std::function<void()> &action)
    {
        std::promise<void> held, released, finished;
        begin([&] {
            held.set_value();
            released.get_future().wait();
            finished.set_value();
        });
        held.get_future().wait();
        action();
        released.set_value();
        finished.get_future().wait();
    }

private:
    using Job = std::function<void()>;

    // Lives on the thread and runs a job for each event.
    struct Context : QObject {
        void customEvent(QEvent *) override
        {
            Job job;
            {
                const std::lock_guard<std::mutex> lock(mutex);
                job = std::move(jobs.front());
                jobs.pop_front();
            }
            job();
        }

        std::mutex mutex;
        std::deque<Job> jobs;
    };

    void begin(Job job)
    {
        const std::lock_guard<std::mutex> lock(context.mutex);
        context.jobs.push_back(std::move(job));
        QCoreApplication::postEvent(&context, new QEvent(QEvent::User));
    }

    Context context;
};

} // namespace hardening
