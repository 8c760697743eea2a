import { createApp } from 'vue'
import '../ui/base.css'
import { applySettings } from '../ui/settings'
import App from './App.vue'

applySettings((words) => words.wall.title)
createApp(App).mount('#app')
